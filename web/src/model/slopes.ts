// The local derivatives of operations that are no function of single elements: softmax, reductions, losses, what moves numbers about.

import { decimals, MINUS } from "./format";
import { broadcastIndex, elementTerms, indexed, MOVES, positive, reduced, transposed } from "./terms";
import type { Tensor, Trace } from "./trace";

/** By how much element `at` of an output moves with one element of an input; `spelled`: the factor with its numbers. */
export interface Slope {
  at: number[];
  factor: number;
  spelled?: string;
}

const MOST_OUTPUTS = 256;

const plain = (x: number): string => decimals(x, 3, false);
const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);
const alike = (a: readonly number[], b: readonly number[]): boolean => a.every((place, axis) => place === b[axis]);

/** The slopes of a node by element `index` of the input at `port`, by which a contribution is taken apart; null for an operation, or a size, that is not. */
export function slopesOf(trace: Trace, node: number, port: number, index: readonly number[]): Slope[] | null {
  const { op, inputs, attributes } = trace.nodes[node]!;
  const y = trace.value(node);
  const x = trace.value(inputs[port]!);
  const other = inputs.length === 2 ? trace.value(inputs[1 - port]!) : null;
  const own = x.at(index);
  const axis = positive((attributes.axis as number | undefined) ?? (op === "cumsum" ? 0 : -1), index.length);
  const along = (make: (at: number[], i: number) => Slope | null): Slope[] =>
    Array.from({ length: y.shape[axis]! }, (_, i) => make(index.map((place, d) => (d === axis ? i : place)), i)).filter((one) => one !== null);
  switch (op) {
    case "softmax": {
      const p = y.at(index);
      return along((at, i) => {
        const same = Number(i === index[axis]);
        return { at, factor: y.at(at) * (same - p), spelled: `${plain(y.at(at))} · (${same} ${MINUS} ${plain(p)})` };
      });
    }
    case "log_softmax": {
      const p = Math.exp(y.at(index));
      return along((at, i) => ({ at, factor: Number(i === index[axis]) - p, spelled: `${i === index[axis] ? 1 : 0} ${MINUS} ${plain(p)}` }));
    }
    case "cumsum":
      return along((at, i) => (i < index[axis]! ? null : { at, factor: 1 }));
    case "logsumexp":
    case "max":
    case "min":
    case "norm":
    case "prod":
    case "var":
    case "std":
      return [reduction(op, x, y, index, attributes)];
    case "dot":
      return [{ at: [], factor: other!.at(index) }];
    case "outer":
      return Array.from({ length: other!.size }, (_, i) => ({ at: port === 0 ? [index[0]!, i] : [i, index[0]!], factor: other!.flat(i) }));
    case "dropout":
      return [{ at: [...index], factor: other!.at(index) }];
    case "masked_fill":
      return port === 0 ? [{ at: [...index], factor: other!.at(broadcastIndex(index, other!.shape)) ? 0 : 1 }] : null;
    case "layer_norm":
      return layerNorm(trace, node, port, index);
    case "linear": {
      if (port !== 1) return null;
      const [out, width] = x.shape as [number, number];
      return each(y.size / out, (b) => ({ at: y.unravel(b * out + index[0]!), factor: other!.flat(b * width + index[1]!) }));
    }
    case "matmul":
      return y.size > MOST_OUTPUTS ? null : stackedProduct(trace, node, port, index);
    case "einsum":
      return einsum(trace, node, port, index);
    case "conv1d":
      return convolution(trace, node, port, index);
    case "index_set":
      return [{ at: indexed(index, y.shape, attributes.index as unknown[]), factor: 1 }];
    case "mse_loss":
    case "l1_loss":
    case "huber_loss":
    case "bce_with_logits":
    case "kl_div":
      return [loss(op, port, own, other!.at(index), x, y, index, attributes)];
    case "nll_loss": {
      if (port !== 0 || other!.shape.length !== 1) return null;
      const hit = other!.flat(index[0]!) === index[1];
      const none = attributes.reduction === "none";
      const over = none || attributes.reduction === "sum" ? 1 : x.shape[0]!;
      return [{ at: none ? [index[0]!] : [], factor: hit ? -1 / over : 0 }];
    }
    default:
      return y.size > MOST_OUTPUTS ? null : (places(trace, node, port, index) ?? sums(trace, node, port, index));
  }
}

function each(count: number, make: (i: number) => Slope): Slope[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** Of an output that one element of each group goes into. */
function reduction(op: string, x: Tensor, y: Tensor, index: readonly number[], attributes: Record<string, unknown>): Slope {
  const own = x.at(index);
  const at = outputOf(index, x.shape, attributes);
  const group = reduced(at, x.shape, attributes).map((one) => x.at(one));
  const made = y.at(at);
  const ties = (holds: (one: number) => boolean): number => group.filter(holds).length;
  const off = (): number => own - group.reduce((sum, one) => sum + one, 0) / group.length;
  const freedom = group.length - ((attributes.correction as number | undefined) ?? 1);
  switch (op) {
    case "logsumexp":
      return { at, factor: Math.exp(own - made), spelled: `e^(${plain(own)} ${MINUS} ${bracketed(made)})` };
    case "max":
    case "min":
      return { at, factor: own === made ? 1 / ties((one) => one === made) : 0 };
    case "prod": {
      const k = reduced(at, x.shape, attributes).findIndex((one) => alike(one, index));
      const others = group.filter((_, i) => i !== k);
      return { at, factor: others.reduce((product, one) => product * one, 1), ...(others.length <= 4 && { spelled: others.map((one, i) => (i === 0 ? plain(one) : bracketed(one))).join(" · ") }) };
    }
    case "var":
      return { at, factor: (2 * off()) / freedom, spelled: `2 · ${bracketed(off())} ÷ ${freedom}` };
    case "std":
      return { at, factor: ratio(off(), freedom * made), spelled: `${plain(off())} ÷ (${freedom} · ${plain(made)})` };
    default: {
      const ord = attributes.ord ?? 2;
      if (ord === 1) return { at, factor: Math.sign(own) };
      if (ord === 2) return { at, factor: ratio(own, made), spelled: `${plain(own)} ÷ ${plain(made)}` };
      return { at, factor: Math.abs(own) === made ? Math.sign(own) / ties((one) => Math.abs(one) === made) : 0 };
    }
  }
}

const bracketed = (x: number): string => (x < 0 ? `(${plain(x)})` : plain(x));

/** The element of a reduction's output that an element of its input goes into. */
function outputOf(index: readonly number[], shape: readonly number[], attributes: Record<string, unknown>): number[] {
  const given = attributes.axis as number | number[] | null | undefined;
  const axes = new Set((given === null || given === undefined ? shape.map((_, i) => i) : [given].flat()).map((axis) => positive(axis, shape.length)));
  return attributes.keepdims ? index.map((place, axis) => (axes.has(axis) ? 0 : place)) : index.filter((_, axis) => !axes.has(axis));
}

function loss(op: string, port: number, own: number, other: number, x: Tensor, y: Tensor, index: readonly number[], attributes: Record<string, unknown>): Slope {
  const [z, target] = port === 0 ? [own, other] : [other, own];
  const sign = port === 0 ? 1 : -1;
  const over = attributes.reduction === "none" || attributes.reduction === "sum" ? 1 : attributes.reduction === "batchmean" ? x.shape[0]! : x.size;
  const difference = `${plain(z)} ${MINUS} ${bracketed(target)}`;
  const turned = sign < 0 ? `${MINUS}` : "";
  const [slope, spelled] = ((): [number, string?] => {
    switch (op) {
      case "mse_loss":
        return [2 * sign * (z - target), `${turned}2 · (${difference})`];
      case "l1_loss":
        return [sign * Math.sign(z - target)];
      case "huber_loss": {
        const delta = (attributes.delta as number | undefined) ?? 1;
        return [sign * Math.max(-delta, Math.min(delta, z - target))];
      }
      case "kl_div": {
        const log = attributes.log_target === true;
        if (port === 0) return [log ? -Math.exp(target) : -target];
        return log ? [Math.exp(target) * (target - z + 1)] : [Math.log(target) - z + 1];
      }
      default: {
        const weight = (attributes.pos_weight as number | undefined) ?? 1;
        const chance = 1 / (1 + Math.exp(-z));
        if (port === 1) return [Math.log1p(-chance) - weight * Math.log(chance)];
        return [(1 - target) * chance - weight * target * (1 - chance), weight === 1 ? `(${plain(chance)} ${MINUS} ${bracketed(target)})` : undefined];
      }
    }
  })();
  return { at: y.shape.length === 0 ? [] : [...index], factor: slope / over, ...(spelled !== undefined && { spelled: over === 1 ? spelled : `${spelled} ÷ ${over}` }) };
}

function layerNorm(trace: Trace, node: number, port: number, index: readonly number[]): Slope[] | null {
  const { inputs, attributes } = trace.nodes[node]!;
  const [x, weight] = [trace.value(inputs[0]!), trace.value(inputs[1]!)];
  const n = weight.size;
  const eps = (attributes.eps as number | undefined) ?? 1e-5;
  if (x.size > MOST_OUTPUTS) return null;
  const standard = Array.from({ length: x.size / n }, (_, row) => {
    const own = Array.from({ length: n }, (_, i) => x.flat(row * n + i));
    const mean = own.reduce((sum, one) => sum + one, 0) / n;
    const scale = Math.sqrt(own.reduce((sum, one) => sum + (one - mean) ** 2, 0) / n + eps);
    return { scale, hat: own.map((one) => (one - mean) / scale) };
  });
  const place = (row: number, i: number): number[] => x.unravel(row * n + i);
  if (port > 0) {
    const i = weight.offset(index);
    return standard.map(({ hat }, row) => ({ at: place(row, i), factor: port === 1 ? hat[i]! : 1 }));
  }
  const [row, j] = [Math.floor(x.offset(index) / n), x.offset(index) % n];
  const { scale, hat } = standard[row]!;
  return each(n, (i) => ({ at: place(row, i), factor: (weight.flat(i) / scale) * (Number(i === j) - 1 / n - (hat[i]! * hat[j]!) / n) }));
}

/** Of an operation that only moves numbers, or takes some of them. */
function places(trace: Trace, node: number, port: number, index: readonly number[]): Slope[] | null {
  const { op, inputs, attributes } = trace.nodes[node]!;
  const [x, y] = [trace.value(inputs[port]!), trace.value(node)];
  const from = ((): ((at: number[], k: number) => number[] | null) | null => {
    switch (op) {
      case "squeeze":
      case "unsqueeze":
        return (_, k) => x.unravel(k);
      case "permute":
        return (at) => transposed(at, attributes.axes as number[] | null | undefined);
      case "flip": {
        const turned = axesOf(attributes.axis, x.shape.length);
        return (at) => at.map((place, axis) => (turned.includes(axis) ? x.shape[axis]! - 1 - place : place));
      }
      case "roll": {
        const shift = [attributes.shift as number | number[]].flat();
        const given = attributes.axis as number | number[] | null | undefined;
        if (given === null || given === undefined) return (_, k) => x.unravel((((k - shift[0]!) % x.size) + x.size) % x.size);
        const by = new Map([given].flat().map((axis, i) => [positive(axis, x.shape.length), shift[i]!]));
        return (at) => at.map((place, axis) => (((place - (by.get(axis) ?? 0)) % x.shape[axis]!) + x.shape[axis]!) % x.shape[axis]!);
      }
      case "split": {
        const axis = positive((attributes.axis as number | undefined) ?? 0, x.shape.length);
        const part = (attributes.part as number | undefined) ?? 0;
        const sizes = attributes.sizes as number | number[];
        const before = typeof sizes === "number" ? part * sizes : sizes.slice(0, part).reduce((sum, one) => sum + one, 0);
        return (at) => at.map((place, d) => (d === axis ? place + before : place));
      }
      case "pad": {
        const widths = attributes.widths as [number, number][];
        return (at) => at.map((place, axis) => place - widths[axis]![0]);
      }
      case "gather": {
        if (port !== 0) return null;
        const axis = positive((attributes.axis as number | undefined) ?? 0, x.shape.length);
        const indices = trace.value(inputs[1]!);
        return (at) => at.map((place, d) => (d === axis ? positive(indices.at(at), x.shape[axis]!) : place));
      }
      default:
        return null;
    }
  })();
  if (!from) return null;
  return each(y.size, (k) => ({ at: y.unravel(k), factor: 1 })).filter(({ at }, k) => {
    const place = from(at, k);
    return place !== null && alike(place, index);
  });
}

function axesOf(given: unknown, ndim: number): number[] {
  return given === null || given === undefined ? Array.from({ length: ndim }, (_, i) => i) : [given as number | number[]].flat().map((axis) => positive(axis, ndim));
}

/** Of a product of stacks of matrices. */
function stackedProduct(trace: Trace, node: number, port: number, index: readonly number[]): Slope[] | null {
  const [a, b] = trace.nodes[node]!.inputs.map((input) => trace.value(input)) as [Tensor, Tensor];
  if (a.shape.length < 2 || b.shape.length < 2) return null;
  const y = trace.value(node);
  const [own, other] = port === 0 ? [a, b] : [b, a];
  return each(y.size, (k) => ({ at: y.unravel(k), factor: 0 })).flatMap(({ at }): Slope[] => {
    const [lead, [i, j]] = [at.slice(0, -2), at.slice(-2) as [number, number]];
    const [mine, there] = [own, other].map((one) => broadcastIndex(lead, one.shape.slice(0, -2))) as [number[], number[]];
    const [row, column] = index.slice(-2) as [number, number];
    if (!alike(mine, index) || (port === 0 ? i !== row : j !== column)) return [];
    return [{ at, factor: other.at([...there, ...(port === 0 ? [column, j] : [i, row])]) }];
  });
}

/** Of a sum over letters, each an axis. */
function einsum(trace: Trace, node: number, port: number, index: readonly number[]): Slope[] | null {
  const { inputs, attributes } = trace.nodes[node]!;
  const [left, out] = (attributes.equation as string).replaceAll(" ", "").split("->") as [string, string | undefined];
  const terms = left.split(",");
  if (out === undefined || left.includes(".") || terms.length !== inputs.length) return null;
  const values = inputs.map((input) => trace.value(input));
  const sizes = new Map<string, number>();
  for (const [k, term] of terms.entries()) for (const [axis, letter] of [...term].entries()) if ((sizes.get(letter) ?? values[k]!.shape[axis]!) !== values[k]!.shape[axis]!) return null;
    else sizes.set(letter, values[k]!.shape[axis]!);
  const fixed = new Map([...terms[port]!].map((letter, axis) => [letter, index[axis]!]));
  if ([...terms[port]!].some((letter, axis) => fixed.get(letter) !== index[axis])) return [];
  let all: Map<string, number>[] = [fixed];
  for (const [letter, size] of sizes) if (!fixed.has(letter)) all = all.flatMap((one) => Array.from({ length: size }, (_, k) => new Map(one).set(letter, k)));
  if (all.length > 16 * MOST_OUTPUTS) return null;
  const found = new Map<string, Slope>();
  for (const one of all) {
    const place = (letters: string): number[] => [...letters].map((letter) => one.get(letter)!);
    const factor = terms.reduce((product, term, k) => (k === port ? product : product * values[k]!.at(place(term))), 1);
    const known = found.get(String(place(out)));
    if (known) known.factor += factor;
    else found.set(String(place(out)), { at: place(out), factor });
  }
  return [...found.values()];
}

/** Of a convolution: of x (batch, in, length) the outputs that read the number, of the kernel those that it makes. */
function convolution(trace: Trace, node: number, port: number, index: readonly number[]): Slope[] | null {
  const { inputs, attributes } = trace.nodes[node]!;
  const [x, weight, y] = [trace.value(inputs[0]!), trace.value(inputs[1]!), trace.value(node)];
  const number = (name: string, usual: number): number => (attributes[name] as number | undefined) ?? usual;
  const [stride, padding, dilation] = [number("stride", 1), number("padding", 0), number("dilation", 1)];
  const [outputs, channels, kernel] = weight.shape as [number, number, number];
  const each = outputs / number("groups", 1);
  const found: Slope[] = [];
  for (let k = 0; k < y.size && y.size <= MOST_OUTPUTS; k++) {
    const at = y.unravel(k);
    const [b, o, t] = at as [number, number, number];
    const first = Math.floor(o / each) * channels;
    if (port === 0) {
      const [c, tap] = [index[1]! - first, (index[2]! + padding - t * stride) / dilation];
      if (b === index[0] && c >= 0 && c < channels && Number.isInteger(tap) && tap >= 0 && tap < kernel) found.push({ at, factor: weight.at([o, c, tap]) });
    } else if (o === index[0]) {
      const place = t * stride + index[2]! * dilation - padding;
      if (place >= 0 && place < x.shape[2]!) found.push({ at, factor: x.at([b, first + index[1]!, place]) });
    }
  }
  return y.size <= MOST_OUTPUTS ? found : null;
}

/** Of a sum: the elements of its output in which the element counts. */
function sums(trace: Trace, node: number, port: number, index: readonly number[]): Slope[] | null {
  const y = trace.value(node);
  const found: Slope[] = [];
  for (let i = 0; i < y.size; i++) {
    const at = y.unravel(i);
    const terms = elementTerms(trace, node, at);
    if (!terms) return null;
    for (const term of terms) if (term.port === port && alike(term.index, index)) found.push({ at, factor: term.factor });
  }
  return found;
}

/** What comes back over an operation on whole tensors, in symbols: `up`, what arrives, times the slopes; i counts elements of the output, j those of the input. Null for one that works element by element. */
export function slopeTex(trace: Trace, { node, port }: { node: number; port: number }, up: string, name: (node: number) => string): string | null {
  const { op, inputs, attributes } = trace.nodes[node]!;
  const entry = trace.ops[op!];
  if (entry?.kind !== "structured" || MOVES.has(op!)) return null;
  const short = (id: number, letter: string): string => (name(id).length > 28 ? letter : name(id));
  const [y, x] = [short(node, "y"), short(inputs[port]!, "x")];
  const other = inputs.length === 2 ? short(inputs[1 - port]!, "z") : "";
  switch (op) {
    case "softmax":
      return `\\sum_{i} ${up}[i]\\;${y}[i]\\,\\left(\\delta_{ij} - ${y}[j]\\right)`;
    case "log_softmax":
      return `\\sum_{i} ${up}[i]\\,\\left(\\delta_{ij} - e^{${y}[j]}\\right)`;
    case "logsumexp":
      return `${up}\\;e^{${x} - ${y}}`;
    case "cumsum":
      return `\\sum_{i \\ge j} ${up}[i]`;
    case "prod":
      return `${up}\\;\\prod_{i \\ne j} ${x}[i]`;
    case "norm":
      return attributes.ord === 1 ? `${up}\\,\\operatorname{sign}(${x})` : (attributes.ord ?? 2) === 2 ? `${up}\\;\\frac{${x}}{${y}}` : null;
    case "dot":
      return `${up}\\,${other}`;
    case "dropout":
      return `${up} \\odot ${other}`;
    case "mse_loss":
      return `${up}\\;\\tfrac{2}{n}\\left(${x} - ${other}\\right)`;
    default: {
      const { latex } = entry.derivatives[port] ?? {};
      return latex ? latex.replaceAll("\\bar{y}", up) : null;
    }
  }
}
