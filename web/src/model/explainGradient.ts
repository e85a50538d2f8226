// Why a gradient: one row a contribution, one row a time step for a shared weight; products with a weight matrix are told term by term.

import { symbol, toLatex } from "../math/latex";
import { backProduct, gateGradient, isUpdateGate, outerProduct } from "../math/notation";
import { contributionRows, slopeFacts, slopeKnown } from "./contributionRows";
import { blank, LINE, total, useOf, written, type Context, type Explanation, type Row, type Target } from "./explanation";
import type { Contribution } from "./film";
import { four, six, three } from "./format";
import { nameless, onward, PASSING, received, renamed } from "./gradientRoute";
import { slopeTex } from "./slopes";
import { elementNumbers, evaluate } from "./terms";
import type { TraceNode } from "./trace";

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
    e.numbers = `${only}= ${written(e.rows)}${e.state === "open" && arrived.length <= LINE ? " + \u2026" : ""}`;
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
  if (all.some((one) => one.arrived >= m && received(context, one, e.target.index))) e.value = null; // what has come is other gates' part
  if (e.value !== null && upstream !== null) e.numbers = `$${e.title}$ = ${four(upstream)} \u00d7 ${four(slope).replace(/^\+/, "")} = ${four(e.value)}`;
  e.facts = [{ key: "why.fact.slope_of", params: { op: consumer.op!, formula: tanh ? `1 \u2212 $${y}^{2}$` : `$${turned ? "-" : ""}${toLatex(entry.derivatives[0]!.formula!, { y })}$` }, value: slope }];
  const most = slope > 0.9 ? "most" : slope < 0.1 ? "little" : "some";
  e.sentence = { key: `why.say.activated_${consumer.op === "sigmoid" ? "gate" : most}`, params: { symbol: `$${symbols.element(consumer.id, way.index)}$`, op: consumer.op!, slope: three(slope).replace(/^\+/, "") } };
  return true;
}

/** Whether an elementwise consumer spreads the number over several elements. */
function broadcast({ trace }: Context, { node, target }: Contribution): boolean {
  return trace.ops[trace.nodes[node]?.op ?? ""]?.kind === "elementwise" && trace.value(node).size > trace.value(target).size;
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
