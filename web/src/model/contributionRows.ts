/** One contribution to a gradient, taken apart into rows: what arrived, times the slope. */
import { logSumExp } from "./explainValue";
import { useOf, type Context, type Explanation, type Row } from "./explanation";
import type { Contribution } from "./film";
import { three } from "./format";
import { named, nameless, PASSING, received } from "./gradientRoute";
import { slopesOf, type Slope } from "./slopes";
import { broadcastIndex, elementNumbers, evaluate } from "./terms";
import type { Tensor, Trace } from "./trace";

/** By what a muted use is known: the symbol of what it makes. */
function mutedLabel({ trace, symbols }: Context, { node }: Contribution): string {
  const reader = trace.consumers(node)[0]?.node;
  return reader === undefined ? "" : `$${symbols.of(reader)}$`;
}

/** One contribution as rows at an element of its target. */
export function contributionRows(context: Context, one: Contribution, index: readonly number[]): Row[] {
  const { trace, symbols, film, m } = context;
  const base = { arrived: one.arrived < m, t: one.time };
  if (one.kind === "kept") return [{ label: { key: "why.row.kept" }, detail: "", value: one.tensor().at(index), ...base }];
  if (one.kind === "seed") return [{ label: { key: "why.row.seed" }, detail: "", value: one.tensor().at(index), ...base }];
  const consumer = trace.nodes[one.node]!;
  if (useOf(trace, one).muted) return [{ label: mutedLabel(context, one), detail: { key: "why.detail.muted" }, value: one.tensor().at(index), ...base }];
  const g = trace.gradient(one.node)!;
  if (consumer.op === "linear" && one.port === 0) {
    const W = trace.value(consumer.inputs[1]!);
    return Array.from({ length: W.shape[0]! }, (_, i) => {
      const at = [...index.slice(0, -1), i];
      return term(one, named(context, one.node, at), W.at([i, index.at(-1)!]), g.at(at), at, base);
    });
  }
  if (consumer.op === "linear" && g.shape.length <= 2) {
    const x = trace.value(consumer.inputs[0]!);
    const rows = g.shape.length === 2 ? g.shape[0]! : 1;
    return Array.from({ length: rows }, (_, b) => {
      const lead = g.shape.length === 2 ? [b] : [];
      const at = [...lead, index[0]!];
      const from = [...lead, index[1]!];
      const label = rows > 1 ? (context.grid?.examples[b]?.text ?? `$b = ${b}$`) : named(context, one.node, at);
      return term(one, label, g.at(at), x.at(from), at, base);
    });
  }
  if (consumer.op === "matmul" && consumer.inputs.every((input) => trace.nodes[input]!.shape.length <= 2)) return matmulRows(context, one, index, base);
  if (consumer.op === "cross_entropy") return crossEntropyRows(context, one, index, base);
  const value = one.tensor().at(index);
  if (PASSING.has(consumer.op ?? "")) {
    const at = received(context, one, index);
    if (at === null) return []; // this element is not among those taken
    const onwards = film.contributions(one.node);
    if (symbols.named(one.node) === null && onwards.length > 0 && symbols.delta(one.node, at) === null) {
      return onwards.flatMap((next) => contributionRows(context, next, at)).map((row) => ({ ...row, ...base, t: row.t ?? base.t }));
    }
    return [{ label: `$${symbols.inlineGradient(one.node, at)}$`, detail: { key: "why.detail.passed" }, value, ...base, target: { kind: "gradient", node: one.node, index: at } }];
  }
  if (slopeKnown(context, one)) {
    const way = chained(context, one, index);
    const upstream = trace.gradient(way.node)!.at(index);
    return [{ label: named(context, way.node, index), detail: `${three(upstream)} \u00d7 ${three(way.slope)}`, value, ...base, target: { kind: "gradient", node: way.node, index: [...index] } }];
  }
  const derivative = trace.ops[consumer.op ?? ""]?.derivatives[one.port]?.formula;
  if (derivative !== undefined && derivative !== null) {
    return uses(trace, one, index).map((at) => {
      const label = context.grid && context.grid.examples.length > 1 && symbols.hasRows(one.node) ? context.grid.examples[at[0]!]!.text : named(context, one.node, at);
      return term(one, label, g.at(at), evaluate(derivative, elementNumbers(trace, one.node, at)), at, base);
    });
  }
  const back = slopesBack(context, one, index);
  if (back) return back.map(({ at, factor }) => term(one, named(context, one.node, at), g.at(at), factor, at, base));
  const detail = { key: "why.detail.op", params: { op: consumer.op ?? "" } };
  return [{ label: `$${symbols.inlineGradient(one.node, [])}$`, detail, value, ...base, ...(g.size === 1 && { target: { kind: "gradient" as const, node: one.node, index: g.shape.map(() => 0) } }) }];
}

const slopes = new WeakMap<Contribution, { index: string; found: Slope[] | null }>();

/** The slopes by which a contribution of an operation on whole tensors is made; null where they are not known, or do not make it. */
function slopesBack({ trace }: Context, one: Contribution, index: readonly number[]): Slope[] | null {
  const known = slopes.get(one);
  if (known?.index === String(index)) return known.found;
  const g = trace.gradient(one.node)!;
  let found = slopesOf(trace, one.node, one.port, index);
  const value = one.tensor().at(index);
  const away = (found ?? []).reduce((sum, { at, factor }) => sum + g.at(at) * factor, -value);
  if (Math.abs(away) > 1e-8 * Math.max(1, Math.abs(value))) found = null;
  slopes.set(one, { index: String(index), found });
  return found;
}

/** The slopes of such an operation with their numbers, the first few of them. */
export function slopeFacts(context: Context, one: Contribution, index: readonly number[]): Explanation["facts"] {
  const { trace, symbols, m } = context;
  const consumer = trace.nodes[one.node];
  if (!consumer || one.kind !== "vjp" || one.arrived >= m || trace.ops[consumer.op ?? ""]?.kind !== "structured" || consumer.op === "cross_entropy") return [];
  const told = (slopesBack(context, one, index) ?? []).filter(({ spelled }) => spelled !== undefined);
  return told.slice(0, MOST_FACTS).map(({ at, factor, spelled }) => ({
    key: "why.fact.local",
    params: { formula: `$\\partial ${symbols.element(one.node, at)}/\\partial ${symbols.element(one.target, index)}$ = ${spelled!.replaceAll(" ", "\u00a0")}` }, // in one piece
    value: factor,
  }));
}

const MOST_FACTS = 4;

/** The elements of a consumer that a broadcast element of its input went into. */
function uses(trace: Trace, { node, target }: Contribution, index: readonly number[]): number[][] {
  const made = trace.value(node);
  const { shape } = trace.nodes[target]!;
  return Array.from({ length: made.size }, (_, i) => made.unravel(i)).filter((at) => broadcastIndex(at, shape).every((place, axis) => place === index[axis]));
}

/** In a network, steps without a symbol of their own (tanh of the cell state) are told together with the next one: their slopes multiplied. */
function chained(context: Context, one: Contribution, index: readonly number[]): { node: number; slope: number } {
  const { trace, film, grid } = context;
  const slopeOf = ({ node, port }: Contribution): number =>
    evaluate(trace.ops[trace.nodes[node]!.op!]!.derivatives[port]!.formula!, elementNumbers(trace, node, index));
  const way = { node: one.node, slope: slopeOf(one) };
  while (grid && nameless(context, way.node, index)) {
    const [next, ...others] = film.contributions(way.node);
    if (!next || others.length > 0 || !slopeKnown(context, next)) break;
    way.slope *= slopeOf(next);
    way.node = next.node;
  }
  return way;
}

/** Whether a contribution is a product of a gradient of the same shape and a slope. */
export function slopeKnown({ trace }: Context, { node, port, target }: Contribution): boolean {
  const [from, to] = [trace.nodes[node]!, trace.nodes[target]!];
  const formula = trace.ops[from.op ?? ""]?.derivatives[port]?.formula;
  return formula !== undefined && formula !== null && from.shape.length === to.shape.length && from.shape.every((n, d) => n === to.shape[d]);
}

function term(one: Contribution, label: Row["label"], factor: number, other: number, at: number[], base: Pick<Row, "arrived" | "t">): Row {
  const pending = !base.arrived;
  return {
    label,
    detail: pending ? { key: "why.detail.pending" } : `${three(factor)} \u00d7 ${three(other)}`,
    value: factor * other,
    ...base,
    target: { kind: "gradient", node: one.node, index: at },
  };
}

/** An element of a factor of A B: one row for each element of the product that it went into, times what it was multiplied with. */
function matmulRows(context: Context, one: Contribution, index: readonly number[], base: Pick<Row, "arrived" | "t">): Row[] {
  const { trace } = context;
  const consumer = trace.nodes[one.node]!;
  const g = trace.gradient(one.node)!;
  const [A, B] = consumer.inputs.map((input) => trace.value(input)) as [Tensor, Tensor];
  const [left, right] = [A.shape.length === 2, B.shape.length === 2]; // a vector is a row on the left, a column on the right
  const along = (size: number): number[] => Array.from({ length: size }, (_, i) => i);
  const place = (i: number, j: number): number[] => [...(left ? [i] : []), ...(right ? [j] : [])];
  if (one.port === 0) {
    const [i, k] = left ? (index as [number, number]) : [0, index[0]!];
    return along(right ? B.shape[1]! : 1).map((j) => term(one, named(context, one.node, place(i, j)), B.at(right ? [k, j] : [k]), g.at(place(i, j)), place(i, j), base));
  }
  const [k, j] = right ? (index as [number, number]) : [index[0]!, 0];
  return along(left ? A.shape[0]! : 1).map((i) => term(one, named(context, one.node, place(i, j)), A.at(left ? [i, k] : [k]), g.at(place(i, j)), place(i, j), base));
}

/** p - [k = y], each over the number of examples. */
function crossEntropyRows(context: Context, one: Contribution, index: readonly number[], base: Pick<Row, "arrived" | "t">): Row[] {
  const { trace } = context;
  const consumer = trace.nodes[one.node]!;
  const [z, y] = [trace.value(consumer.inputs[0]!), trace.value(consumer.inputs[1]!)];
  const [b, k] = index as [number, number];
  const classes = z.shape[1]!;
  const logits = z.data.subarray(b * classes, (b + 1) * classes);
  const scale = trace.gradient(one.node)!.flat(0) / z.shape[0]!;
  const p = Math.exp(logits[k]! - logSumExp(logits));
  const over = z.shape[0]! > 1 ? ` \u00f7 ${z.shape[0]}` : "";
  const rows: Row[] = [{ label: `$p[${k}]$`, detail: `${three(p).replace(/^\+/, "")}${over}`, value: p * scale, ...base }];
  if (y.flat(b) === k) rows.push({ label: { key: "why.row.target" }, detail: `\u22121${over}`, value: -scale, ...base });
  return rows;
}
