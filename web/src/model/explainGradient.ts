// Why a gradient: one row a contribution, one row a time step for a shared weight; products with a weight matrix are told term by term.

import { symbol, toLatex } from "../math/latex";
import { backProduct, gateGradient, isUpdateGate, outerProduct } from "../math/notation";
import { blank, total, useOf, written, type Context, type Explanation, type Row, type Target } from "./explanation";
import { logSumExp } from "./explainValue";
import type { Contribution } from "./film";
import { four, six, three } from "./format";
import { broadcastIndex, elementNumbers, elementTerms, evaluate } from "./terms";
import { slopesOf, slopeTex, type Slope } from "./slopes";
import type { Tensor, Trace, TraceNode } from "./trace";

const PASSING = new Set(["index", "rows", "concat", "stack", "reshape", "transpose", "broadcast_to"]);

export function explainGradient(context: Context, target: Target): Explanation {
  const { film, trace, m } = context;
  const node = trace.nodes[target.node]!;
  const e = blank(context, target, "backward", "why.kind.gradient");
  const all = film.contributions(node.id);
  if (all.length === 0) {
    e.sentence = { key: node.requires_grad ? "why.say.no_path" : node.role === "probe" ? "why.say.probe" : "why.say.no_gradient" };
    return e;
  }
  const sum = film.gradient(node.id, m);
  e.value = sum ? sum.at(target.index) : null;
  e.state = sum === null ? "unknown" : film.complete(node.id, m) ? "known" : "open";
  if (all[0]!.kind === "seed" && all.length === 1) {
    e.symbols = "\\frac{\\partial L}{\\partial L} = 1";
    e.rows = [{ label: "$\\partial L/\\partial L$", detail: "", value: 1, arrived: e.state === "known", t: null }];
    e.sentence = { key: e.state === "known" ? "why.say.seed" : "why.say.not_arrived" };
    return finish(e);
  }
  const shared = node.role === "parameter" && context.grid !== null && all.some((one) => one.time !== null);
  if (shared) return sharedWeight(context, e, node, all);
  if (isUpdateGate(node) && context.notation.z !== "keep") return renewingGate(context, e, all);
  if (activated(context, e, node, all)) return finish(e);
  e.rows = all.flatMap((one) => contributionRows(context, one, target.index).map((row) => ({ ...row, ...useOf(trace, one) })));
  e.symbols = equation(context, e, all);
  if (all.length === 1) e.facts = slopeFacts(context, all[0]!, target.index);
  e.sentence = plainSentence(context, node, e, all);
  return finish(e);
}

/** The numbers of the rows on one line, their sum, and what is said before anything has arrived. */
export function finish(e: Explanation): Explanation {
  const arrived = e.rows.filter((row) => row.arrived);
  if (arrived.length > 0) e.sum = total(e.rows);
  if (e.numbers === "" && arrived.length > 0) {
    const only = e.rows.length === 1 && typeof e.rows[0]!.detail === "string" && e.rows[0]!.detail.includes("\u00d7") ? `= ${e.rows[0]!.detail} ` : "";
    e.numbers = `${only}= ${written(e.rows)}${e.state === "open" ? " + \u2026" : ""}`;
  }
  if (e.state === "unknown") e.sentence = { key: "why.say.not_arrived" };
  return e;
}

/** A recurrent weight or bias: each step's share. */
function sharedWeight(context: Context, e: Explanation, node: TraceNode, all: readonly Contribution[]): Explanation {
  const { trace, symbols, grid } = context;
  const { index } = e.target;
  const weight = index.length === 2;
  const state = /_hh_l\d+(_reverse)?$/.test(node.path);
  e.kind = { key: weight ? "why.kind.shared_weight" : "why.kind.shared_bias" };
  e.rows = all.map((one): Row => {
    const { use, muted } = useOf(trace, one);
    if (one.kind === "kept") return { label: { key: "why.row.kept" }, detail: "", value: one.tensor().at(index), arrived: one.arrived < context.m, t: null };
    if (muted && use) return { label: `$t = ${one.time}$`, detail: { key: "why.detail.muted" }, value: one.tensor().at(index), arrived: one.arrived < context.m, t: one.time, use, muted };
    const consumer = trace.nodes[one.node]!;
    const delta = trace.gradient(one.node)!;
    const at = [0, index[0]!];
    const rows = delta.shape[0]!;
    const arrived = one.arrived < context.m;
    const operand = weight ? consumer.inputs[0]! : -1;
    const value = one.tensor().at(index);
    const inputIndex = [0, index[1]!];
    let detail: Row["detail"];
    if (rows > 1) detail = { key: "why.detail.examples", params: { count: rows } };
    else if (!arrived) detail = `$${symbols.gradient(one.node, at)}${weight ? `\\,${symbols.element(operand, inputIndex)}` : ""}$`;
    else detail = weight ? `${three(delta.at(at))} \u00d7 ${three(trace.value(operand).at(inputIndex))}` : `$${symbols.gradient(one.node, at)}$`;
    return {
      label: `$t = ${one.time}$`,
      detail,
      value,
      arrived,
      t: one.time,
      target: { kind: "gradient", node: one.node, index: at },
      use,
    };
  });
  const [name, batch] = [symbols.of(node.id), grid!.examples.length > 1 ? "\\sum_{b} " : ""];
  const left = `\\frac{\\partial L}{\\partial ${name}[i${weight ? ", j" : ""}]}`;
  const right = weight ? (state ? "\\,h_{t-1}[j]" : "\\,x_{t}[j]") : "";
  e.symbols = `${left} = \\sum_{t=1}^{T} ${batch}\\delta_{t}[i]${right}`;
  const done = e.rows.filter((row) => row.arrived);
  const waiting = e.rows.find((row) => !row.arrived);
  const shares = e.rows.filter((row) => row.t !== null); // what was kept from before is none
  const zeros = shares.filter((row) => row.value === 0 && !row.muted);
  const first = weight && state && zeros.length === 1 && zeros[0]!.t === (grid!.shown.reverse ? shares.length : 1);
  const params = { count: shares.length, arrived: done.filter((row) => row.t !== null).length, next: waiting?.t ?? 0 };
  const what = weight ? "weight" : "bias";
  e.sentence = waiting
    ? { key: `why.say.shared_${what}_open`, params }
    : weight && !state && zeros.length > 0
      ? { key: zeros.length === shares.length ? "why.say.shared_input_never" : "why.say.shared_input_zeros", params: { ...params, zeros: zeros.length } }
      : first
        ? { key: "why.say.shared_weight_zero", params: { ...params, first: zeros[0]!.t! } }
        : { key: `why.say.shared_${what}`, params };
  return finish(e);
}

/** A GRU's update gate that stands before the candidate: 1 - z, so its gradient has the other sign. */
function renewingGate(context: Context, e: Explanation, all: readonly Contribution[]): Explanation {
  if (e.value !== null) e.value = gateGradient(context.notation, e.value);
  renewed(context, e, all);
  e.sentence = { key: e.state === "open" ? "why.say.gradient_open" : "why.say.gate_renews_gradient", params: { arrived: e.rows.filter((row) => row.arrived).length, count: all.length } };
  return finish(e);
}

/** The rows and the formula of such a gate's gradient. */
export function renewed(context: Context, e: Explanation, all: readonly Contribution[]): void {
  const { trace, symbols, grid } = context;
  const { node: id, index } = e.target;
  const node = trace.nodes[id]!;
  const column = grid!.column(node.time!)!;
  const [n, before] = [column.gates.get("n")!, grid!.stateBefore(column.t).h];
  const g = trace.gradient(column.h)!.at(index);
  e.rows = all.map((one): Row => {
    const direct = trace.nodes[one.node]!.op === "mul"; // by the state before; the other way leads over 1 - z to the candidate
    const factor = direct ? -trace.value(before).at(index) : trace.value(n).at(index);
    return {
      label: `$${symbols.inlineGradient(column.h, index)}$`,
      detail: `${three(g)} \u00d7 ${three(factor)}`,
      value: g * factor,
      arrived: one.arrived < context.m,
      t: one.time,
      target: { kind: "gradient", node: column.h, index: [...index] },
    };
  });
  e.symbols = `${symbols.wholeGradient(node.id)} = ${symbols.wholeGradient(column.h)} \\odot (${symbols.of(n)} - ${symbols.of(before)})`;
}

/** The one consumer a node's element goes to, through ops that only pass gradients on; null where it forks. */
function onward(context: Context, node: number, index: readonly number[]): { contribution: Contribution; index: number[] } | null {
  let at = { node, index: [...index] };
  for (;;) {
    const live = context.film.contributions(at.node).flatMap((contribution) => {
      const place = received(context, contribution, at.index);
      return place === null ? [] : [{ contribution, place }];
    });
    const only = live.length === 1 ? live[0]! : null;
    if (!only) return null;
    const { op } = context.trace.nodes[only.contribution.node]!;
    if (op !== "add" && !PASSING.has(op ?? "")) return { contribution: only.contribution, index: only.place };
    at = { node: only.contribution.node, index: only.place };
  }
}

/** The node nearest to the loss that has the same gradient and a name of its own: sums and moves pass a gradient on unchanged. */
function renamed(context: Context, node: number, index: readonly number[]): { node: number; index: number[] } {
  const { trace, symbols, film } = context;
  const start = { node, index: [...index] };
  for (let at = start; ; ) {
    if (symbols.named(at.node) !== null || symbols.delta(at.node, at.index) !== null) return at;
    const all = film.contributions(at.node);
    const { op } = trace.nodes[all[0]?.node ?? at.node]!;
    const place = all.length === 1 && (op === "add" || PASSING.has(op ?? "")) ? received(context, all[0]!, at.index) : null;
    if (place === null) return start;
    at = { node: all[0]!.node, index: place };
  }
}

/** Where in the consumer's output an element of its input goes, for ops that keep elements apart; null when it does not occur there. */
function received(context: Context, { node, port, kind }: Contribution, index: readonly number[]): number[] | null {
  const { trace } = context;
  if (kind !== "vjp") return null;
  const consumer = trace.nodes[node]!;
  if (!PASSING.has(consumer.op ?? "")) return consumer.shape.length === index.length ? [...index] : null;
  const position = destinations(trace, node, port)[trace.value(consumer.inputs[port]!).offset(index)]!;
  return position < 0 ? null : trace.value(node).unravel(position);
}

const moves = new WeakMap<Trace, Map<string, Int32Array>>();

/** For an op that only moves numbers: position in its input -> (first) position in its output, or -1. Worked out once. */
function destinations(trace: Trace, node: number, port: number): Int32Array {
  let known = moves.get(trace);
  if (!known) moves.set(trace, (known = new Map()));
  const key = `${node} ${port}`;
  let found = known.get(key);
  if (!found) {
    const [from, to] = [trace.value(trace.nodes[node]!.inputs[port]!), trace.value(node)];
    found = new Int32Array(from.size).fill(-1);
    for (let i = to.size - 1; i >= 0; i--) {
      const term = elementTerms(trace, node, to.unravel(i))?.[0];
      if (term?.port === port) found[from.offset(term.index)] = i;
    }
    known.set(key, found);
  }
  return found;
}

/** What an activation is applied to: the rows of the activation's gradient, times the slope. */
function activated(context: Context, e: Explanation, node: TraceNode, all: readonly Contribution[]): boolean {
  const { trace, symbols, film, m, grid } = context;
  if (!grid || node.time === null || node.role === "parameter" || all[0]!.kind !== "vjp") return false;
  const way = onward(context, node.id, e.target.index);
  const consumer = way && trace.nodes[way.contribution.node]!;
  const entry = consumer && trace.ops[consumer.op!];
  if (!way || !consumer || !entry?.formula || consumer.inputs.length !== 1 || consumer.label === null) return false;
  const turned = isUpdateGate(consumer) && context.notation.z !== "keep";
  const sign = turned ? -1 : 1; // of the gate, and of its gradient
  const slope = sign * evaluate(entry.derivatives[0]!.formula!, elementNumbers(trace, consumer.id, way.index));
  const rows = film.contributions(consumer.id);
  e.rows = turned ? renewingGate(context, { ...e, target: { ...e.target, node: consumer.id, index: way.index }, value: null }, rows).rows : rows.flatMap((one) => contributionRows(context, one, way.index));
  e.kind = { key: "why.kind.vector" };
  const y = consumer.label;
  const tanh = consumer.op === "tanh";
  const factor = tanh ? `(1 - ${y}_{t}^{2})` : consumer.op === "sigmoid" ? `${y}_{t} \\odot (1 - ${y}_{t})` : toLatex(entry.derivatives[0]!.formula!, { y: `${y}_{t}` });
  const gate = consumer.id === grid.column(consumer.time!)?.h ? "" : `^{${y}}`;
  e.symbols = `\\delta_{t}${gate} = \\frac{\\partial L}{\\partial ${y}_{t}} \\odot ${turned ? `\\left(-${factor}\\right)` : factor}`;
  const arrived = film.gradient(consumer.id, m);
  const upstream = arrived ? sign * arrived.at(way.index) : null;
  e.sumLabel = `$${symbols.inlineGradient(consumer.id, way.index)}$`;
  if (e.value !== null && upstream !== null) e.numbers = `$${e.title}$ = ${four(upstream)} \u00d7 ${four(slope).replace(/^\+/, "")} = ${four(e.value)}`;
  e.facts = [{ key: "why.fact.slope_of", params: { op: consumer.op!, formula: tanh ? `1 \u2212 $${y}^{2}$` : `$${turned ? "-" : ""}${toLatex(entry.derivatives[0]!.formula!, { y })}$` }, value: slope }];
  const most = slope > 0.9 ? "most" : slope < 0.1 ? "little" : "some";
  e.sentence = { key: `why.say.activated_${consumer.op === "sigmoid" ? "gate" : most}`, params: { symbol: `$${symbols.element(consumer.id, way.index)}$`, op: consumer.op!, slope: three(slope).replace(/^\+/, "") } };
  return true;
}

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

/** Whether neither a node nor any that has the same gradient has a symbol of its own. */
function nameless(context: Context, node: number, index: readonly number[]): boolean {
  const at = renamed(context, node, index);
  return context.symbols.named(at.node) === null && context.symbols.delta(at.node, at.index) === null;
}

/** Whether an elementwise consumer spreads the number over several elements. */
function broadcast({ trace }: Context, { node, target }: Contribution): boolean {
  return trace.ops[trace.nodes[node]?.op ?? ""]?.kind === "elementwise" && trace.value(node).size > trace.value(target).size;
}

/** Whether a contribution is a product of a gradient of the same shape and a slope. */
function slopeKnown({ trace }: Context, { node, port, target }: Contribution): boolean {
  const [from, to] = [trace.nodes[node]!, trace.nodes[target]!];
  const formula = trace.ops[from.op ?? ""]?.derivatives[port]?.formula;
  return formula !== undefined && formula !== null && from.shape.length === to.shape.length && from.shape.every((n, d) => n === to.shape[d]);
}

/** The gradient of a whole node (a row of it, in a batch) by the best name there is, on one line. */
export function namedWhole(context: Context, node: number, row: number): string {
  const { symbols, trace } = context;
  const origin = trace.nodes[node]!.shape.map(() => 0);
  const at = renamed(context, node, origin).node;
  return `$${symbols.delta(at, trace.nodes[at]!.shape.map(() => 0), true) ?? symbols.inlineGradient(at, [row])}$`;
}

function named(context: Context, node: number, index: readonly number[]): string {
  const at = renamed(context, node, index);
  return `$${context.symbols.inlineGradient(at.node, at.index)}$`;
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

/** What comes back to a factor of A B, in symbols: vectors as columns, a vector on the left as a row. */
function matmulBack({ trace, symbols }: Context, consumer: TraceNode, port: number, up: string): string {
  const [left, right] = consumer.inputs.map((input) => trace.nodes[input]!.shape.length === 2) as [boolean, boolean];
  const raised = (tex: string): string => (/^(\w|\\hat\{\w\})(_\{\w+\})?$/.test(tex) ? `${tex}^{\\top}` : `\\left(${tex}\\right)^{\\top}`);
  const other = symbols.of(consumer.inputs[1 - port]!);
  if (!left && !right) return `${up}\\,${other}`;
  if (port === 0) return left ? `${up}\\,${raised(other)}` : `${other}\\,${up}`;
  return left ? `${raised(other)}\\,${up}` : `${other}\\,\\left(${up}\\right)^{\\top}`;
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

/** What a gradient is made of, in symbols: one term a contribution. */
export function equation(context: Context, e: Explanation, all: readonly Contribution[]): string {
  const { trace, symbols, grid } = context;
  const node = trace.nodes[e.target.node]!;
  const name = symbols.of(node.id);
  const left = symbols.wholeGradient(node.id);
  const part = (one: Contribution): string[] => {
    if (one.kind !== "vjp") return [];
    const consumer = trace.nodes[one.node]!;
    const onwards = context.film.contributions(one.node);
    const origin = consumer.shape.map(() => 0);
    if (PASSING.has(consumer.op ?? "") && symbols.named(one.node) === null && symbols.delta(one.node, origin) === null && onwards.length > 0) return onwards.flatMap(part);
    const chain = grid && nameless(context, one.node, origin) && onwards.length === 1 && slopeKnown(context, onwards[0]!);
    const up = chain ? part(onwards[0]!)[0]! : symbols.wholeGradient(renamed(context, one.node, origin).node);
    if (consumer.op === "linear") {
      const other = symbols.of(consumer.inputs[1 - one.port]!);
      return [one.port === 0 ? backProduct(context.notation, other, up) : outerProduct(context.notation, up, other)];
    }
    if (consumer.op === "matmul" && consumer.inputs.every((input) => trace.nodes[input]!.shape.length <= 2)) return [matmulBack(context, consumer, one.port, up)];
    if (consumer.op === "cross_entropy") return [trace.value(consumer.inputs[0]!).shape[0]! > 1 ? "\\tfrac{1}{B}(p - [k = y])" : "p - [k = y]"];
    if (consumer.op === "mse_loss" && grid) return ["\\tfrac{2}{n}(\\hat{y} - y)"];
    const whole = slopeTex(trace, one, up, (id) => symbols.of(id));
    if (whole !== null) return [whole];
    const entry = trace.ops[consumer.op ?? ""];
    const derivative = entry?.derivatives[one.port]?.formula;
    if (!entry || derivative === undefined || derivative === null || PASSING.has(consumer.op ?? "")) return [up];
    const atom = (id: number): string => (symbols.named(id)?.includes("^") ? `{${symbols.of(id)}}` : symbols.of(id)); // another exponent may follow
    const names: Record<string, string> = { y: atom(consumer.id) };
    entry.inputs.forEach((input, port) => (names[input] = atom(consumer.inputs[port]!)));
    const short = Object.values(names).every((text) => text.length < 70);
    const slope = derivative === 1 ? "" : toLatex(derivative, short ? names : {});
    const simple = /^[^+\-\s]*$/.test(slope.replace(/\\,/g, "").replace(/\{[^}]*\}/g, ""));
    const sum = broadcast(context, one) ? "\\sum " : "";
    return [sum + (slope === "" ? up : `${up}${grid ? " \\odot " : "\\cdot "}${simple ? slope : `\\left(${slope}\\right)`}`)];
  };
  const parts = all.flatMap(part);
  if (parts.length > 3) return `${left} = \\sum_{k} \\frac{\\partial L}{\\partial y_{k}}\\,\\frac{\\partial y_{k}}{\\partial ${name.length > 12 ? symbol("x") : name}}`;
  return `${left} = ${parts.join(" + ")}`;
}

function plainSentence(context: Context, node: TraceNode, e: Explanation, all: readonly Contribution[]): Explanation["sentence"] {
  const { trace, film, m } = context;
  if (e.state === "open") {
    const done = all.filter((one) => one.arrived < m).length;
    return { key: "why.say.gradient_open", params: { arrived: done, count: all.length } };
  }
  const ops = all.map((one) => trace.nodes[one.node]!);
  if (ops.length === 1 && ops[0]!.op === "cross_entropy") {
    const last = e.rows.length > 1;
    return { key: last ? "why.say.logit_target" : "why.say.logit_other", params: { value: six(e.value!) } };
  }
  if (ops.length === 1 && ops[0]!.op === "mse_loss") return { key: "why.say.mse_gradient" };
  const column = node.time === null ? null : context.grid?.column(node.time);
  if (column && (column.h === node.id || column.c === node.id)) {
    const later = context.grid!.shown.reverse ? column.t - 1 : column.t + 1;
    const own = ops.filter((op) => context.grid!.chainOf(op) === context.grid!.shown);
    const next = own.some((op) => op.time === later);
    if (column.c === node.id) return next ? { key: "why.say.cell_gradient", params: { next: later } } : { key: "why.say.gradient_one" };
    if (!context.grid!.top) return { key: "why.say.state_below", params: { above: context.grid!.shown.layer + 2 } };
    const read = own.length < ops.length;
    const key = next && read ? "both" : next ? (context.grid!.cell === "gru" ? "next_gru" : "next") : "read";
    return { key: `why.say.state_${key}`, params: { next: later } };
  }
  const [only] = ops.length === 1 ? ops : [];
  if (column && context.grid!.cell === "gru" && only?.op === "mul" && only.inputs[0] === column.gates.get("r")) {
    return { key: node.id === only.inputs[0] ? "why.say.reset_gate_gradient" : "why.say.reset_state_gradient" };
  }
  if (film.contributions(node.id).length > 1) return { key: "why.say.gradient_fork", params: { count: all.length } };
  if (!context.grid && broadcast(context, all[0]!)) return { key: "why.say.gradient_broadcast", params: { count: e.rows.length } };
  return { key: node.role === "parameter" && context.grid ? "why.say.weight_once" : "why.say.gradient_one" };
}
