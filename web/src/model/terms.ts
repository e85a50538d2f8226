// What one element of a node is made of: the terms of sums and products, and formulas evaluated at an element.

import type { Trace, Tree } from "./trace";

/** factor × input[port][index]. */
export interface Term {
  port: number;
  index: number[];
  factor: number;
}

/** The element of an input that meets element `index` of the broadcast output. */
export function broadcastIndex(index: readonly number[], shape: readonly number[]): number[] {
  const extra = index.length - shape.length;
  return shape.map((n, i) => (n === 1 ? 0 : index[i + extra]!));
}

type Attributes = Record<string, unknown>;

/** The terms whose sum is the element; null for an op that is no sum. */
export function elementTerms(trace: Trace, node: number, index: readonly number[]): Term[] | null {
  const { op, inputs, attributes } = trace.nodes[node]!;
  const shapes = inputs.map((input) => trace.nodes[input]!.shape);
  const one = (at: number[], port = 0): Term[] => [{ port, index: at, factor: 1 }];
  const along = (n: number, make: (k: number) => Term): Term[] => Array.from({ length: n }, (_, k) => make(k));
  switch (op) {
    case "add":
    case "sub":
      return [0, 1].map((port) => ({
        port,
        index: broadcastIndex(index, shapes[port]!),
        factor: port === 1 && op === "sub" ? -1 : 1,
      }));
    case "neg":
      return [{ port: 0, index: [...index], factor: -1 }];
    case "linear": {
      const W = trace.value(inputs[1]!);
      return along(W.shape[1]!, (k) => ({ port: 0, index: [...index.slice(0, -1), k], factor: W.at([index.at(-1)!, k]) }));
    }
    case "matmul": {
      const [a, b] = shapes as [number[], number[]];
      if (a.length > 2 || b.length > 2) return null;
      const row = a.length === 1 ? [] : [index[0]!];
      const column = b.length === 1 ? [] : [index.at(-1)!];
      const right = trace.value(inputs[1]!);
      return along(a.at(-1)!, (k) => ({ port: 0, index: [...row, k], factor: right.at([k, ...column]) }));
    }
    case "sum":
    case "mean": {
      const terms = reduced(index, shapes[0]!, attributes);
      const factor = op === "mean" ? 1 / terms.length : 1;
      return terms.map((at) => ({ port: 0, index: at, factor }));
    }
    case "reshape":
      return one(trace.value(inputs[0]!).unravel(trace.value(node).offset(index)));
    case "broadcast_to":
      return one(broadcastIndex(index, shapes[0]!));
    case "transpose":
      return one(transposed(index, attributes.axes as number[] | null | undefined));
    case "index":
      return one(indexed(index, shapes[0]!, attributes.index as unknown[]));
    case "rows": {
      const row = (attributes.rows as number[])[index[0]!]!;
      return one([row < 0 ? row + shapes[0]![0]! : row, ...index.slice(1)]);
    }
    case "embedding":
      return one([trace.value(inputs[0]!).at(index.slice(0, -1)), index.at(-1)!], 1);
    case "stack": {
      const axis = positive((attributes.axis as number | undefined) ?? 0, index.length);
      return one(index.filter((_, i) => i !== axis), index[axis]!);
    }
    case "concat": {
      const axis = positive((attributes.axis as number | undefined) ?? 0, index.length);
      const at = [...index];
      for (let port = 0; port < shapes.length; port++) {
        if (at[axis]! < shapes[port]![axis]!) return one(at, port);
        at[axis]! -= shapes[port]![axis]!;
      }
      return null;
    }
    default:
      return null;
  }
}

/** An axis counted from the start. */
export const positive = (axis: number, ndim: number): number => (axis < 0 ? axis + ndim : axis);

/** The elements of a reduction's input that go into element `index` of its output. */
export function reduced(index: readonly number[], shape: readonly number[], attributes: Attributes): number[][] {
  const given = attributes.axis as number | number[] | null | undefined;
  const listed = given === null || given === undefined ? shape.map((_, i) => i) : Array.isArray(given) ? given : [given];
  const axes = new Set(listed.map((axis) => positive(axis, shape.length)));
  const rest = [...index];
  const base = shape.map((_, i) => (axes.has(i) ? (attributes.keepdims ? (rest.shift(), 0) : 0) : rest.shift()!));
  let all: number[][] = [base];
  for (const axis of [...axes].sort((a, b) => a - b)) {
    all = all.flatMap((at) => Array.from({ length: shape[axis]! }, (_, k) => at.map((i, d) => (d === axis ? k : i))));
  }
  return all;
}

/** Where an element of a transposed input comes from. */
export function transposed(index: readonly number[], axes: readonly number[] | null | undefined): number[] {
  const n = index.length;
  const order = axes ? axes.map((axis) => positive(axis, n)) : [...Array(n).keys()].map((i) => (i < n - 2 ? i : n < 2 ? i : 2 * n - 3 - i));
  const at = new Array<number>(n).fill(0);
  order.forEach((axis, i) => (at[axis] = index[i]!));
  return at;
}

/** Where an element of x[parts] comes from: integers, ["slice", start, stop, step], "..." and "new", as numpy reads them. */
export function indexed(index: readonly number[], shape: readonly number[], parts: readonly unknown[]): number[] {
  const takes = parts.filter((part) => part !== "new" && part !== "...").length;
  const at: number[] = [];
  const rest = [...index];
  const whole = (count: number): void => {
    for (let i = 0; i < count; i++) at.push(rest.shift()!);
  };
  for (const part of parts) {
    const size = shape[at.length]!;
    if (part === "...") whole(shape.length - takes);
    else if (part === "new") rest.shift();
    else if (typeof part === "number") at.push(part < 0 ? part + size : part);
    else {
      const [, start, , step] = part as [string, number | null, number | null, number | null];
      const stride = step ?? 1;
      const first = start === null ? (stride < 0 ? size - 1 : 0) : Math.min(start < 0 ? Math.max(0, start + size) : start, stride < 0 ? size - 1 : size);
      at.push(first + rest.shift()! * stride);
    }
  }
  whole(shape.length - at.length);
  return at;
}

const FUNCTIONS: Record<string, (...x: number[]) => number> = {
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  abs: Math.abs,
  sign: Math.sign,
  maximum: Math.max,
  minimum: Math.min,
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  where: (condition, a, b) => (condition ? a! : b!),
};

/** The value of a formula. Throws for a name without a value or an unknown function. */
export function evaluate(tree: Tree, values: Readonly<Record<string, number>>): number {
  if (typeof tree === "number") return tree;
  if (typeof tree === "string") {
    const value = values[tree];
    if (value === undefined) throw new Error(`the formula names "${tree}", which has no value here`);
    return value;
  }
  const [kind, ...rest] = tree;
  if (kind === "call") {
    const run = FUNCTIONS[rest[0] as string];
    if (!run) throw new Error(`the formula calls "${String(rest[0])}", which this page does not know`);
    return run(...rest.slice(1).map((part) => evaluate(part, values)));
  }
  const a = evaluate(rest[0]!, values);
  if (kind === "neg") return -a;
  const b = evaluate(rest[1]!, values);
  switch (kind) {
    case "add": return a + b;
    case "sub": return a - b;
    case "mul": return a * b;
    case "div": return a / b;
    case "pow": return a ** b;
    case "lt": return Number(a < b);
    case "le": return Number(a <= b);
    case "gt": return Number(a > b);
    case "ge": return Number(a >= b);
    case "eq": return Number(a === b);
    default: throw new Error(`"${kind}" is no operation of formulas`);
  }
}

/** The names of an elementwise op's formula with their numbers at an element: inputs and y. */
export function elementNumbers(trace: Trace, node: number, index: readonly number[]): Record<string, number> {
  const { op, inputs } = trace.nodes[node]!;
  const numbers: Record<string, number> = { y: trace.value(node).at(index) };
  trace.ops[op!]?.inputs.forEach((name, port) => {
    const input = inputs[port]!;
    numbers[name] = trace.value(input).at(broadcastIndex(index, trace.nodes[input]!.shape));
  });
  return numbers;
}

/** Ops that move numbers and change none. */
export const MOVES: ReadonlySet<string> = new Set(["index", "rows", "concat", "stack", "reshape", "broadcast_to", "transpose"]);

/** Follows an element through such ops to where it was computed. */
export function origin(trace: Trace, node: number, index: readonly number[]): { node: number; index: number[] } {
  let at = { node, index: [...index] };
  for (;;) {
    const { op, label, inputs } = trace.nodes[at.node]!;
    if (op === null || label !== null || !MOVES.has(op)) return at;
    const term = elementTerms(trace, at.node, at.index)?.[0];
    if (!term) return at;
    at = { node: inputs[term.port]!, index: term.index };
  }
}
