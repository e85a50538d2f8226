// The parts of an RNN, LSTM or GRU cell by their own equations: states, gates and candidates as sums over the input, the bias and the
// state before.

import { gateValue, isUpdateGate, mixture, product as weighed, type Notation } from "../math/notation";
import { total, written, type Context, type Explanation, type Row } from "./explanation";
import { decimals, four, six, three } from "./format";
import { origin } from "./terms";
import { GATES, placeOf, type Column } from "./network";
import type { TraceNode } from "./trace";

type Sides = "both" | "input" | "state";

/** Fills the explanation of a labelled part of a cell; false when the node is none. */
export function explainCell(context: Context, e: Explanation, node: TraceNode): boolean {
  const { grid } = context;
  const column = node.time === null ? null : (grid?.column(node.time) ?? null);
  if (!grid || !column || placeOf(node, grid.cell) === null) return false;
  if (grid.cell === "gru" && node.op === "mul" && node.inputs[0] === column.gates.get("r")) return resetState(context, e, node, column);
  if (node.label === null) return false;
  if (node.id === column.x) return input(context, e, node);
  if (grid.cell === "rnn" && node.id === column.h) return squashed(context, e, node, column, null);
  if (column.gates.get(node.label) === node.id) return squashed(context, e, node, column, node.label);
  if (grid.cell === "rnn" && node.id === column.a) return beforeTanh(context, e, column);
  if (grid.cell === "lstm" && node.id === column.c) return cellState(context, e, column);
  if (grid.cell === "lstm" && node.id === column.h) return exposed(context, e, column);
  if (grid.cell === "gru" && node.id === column.h) return mixed(context, e, column);
  return false;
}

function input(context: Context, e: Explanation, node: TraceNode): boolean {
  const token = context.trace.batch?.examples[e.target.index[0]!]?.tokens[node.time! - 1];
  e.kind = { key: "why.kind.input" };
  e.symbols = e.title;
  e.sentence = typeof token === "string" ? { key: "why.say.letter", params: { token } } : { key: "why.say.input" };
  return true;
}

/** Row `row` of W_ih x_t + b_ih + W_hh h_(t-1) + b_hh, of example b; the state's side scaled by the reset gate where one is given. */
function affineRows(context: Context, column: Column, row: number, b: number, sides: Sides, reset: number | null = null): Row[] {
  const { trace, grid, symbols } = context;
  const parameter = (name: string): number => grid!.parameter(name)!.node;
  const tex = (node: number): string => `$${symbols.of(node)}$`;
  const rows: Row[] = [];
  const [Wx, Wh, bx, bh] = [parameter("weight_ih"), parameter("weight_hh"), parameter("bias_ih"), parameter("bias_hh")];
  const value = (node: number): number => trace.value(node).at([row]);
  if (sides !== "state") rows.push(...inputRows(context, column, row, b, Wx));
  const plain = { arrived: true, t: null };
  if (sides === "both") {
    rows.push({ label: { key: "why.row.bias" }, detail: `${tex(bx)} + ${tex(bh)}`, value: value(bx) + value(bh), ...plain });
  } else {
    const bias = sides === "input" ? bx : bh;
    const factor = sides === "state" ? reset! : 1;
    const detail = sides === "state" ? `${three(factor)} \u00d7 ${three(value(bias))}` : tex(bias);
    const label = sides === "state" ? `$r\\,${symbols.of(bias)}$` : { key: "why.row.bias" };
    rows.push({ label, detail, value: factor * value(bias), ...plain, target: { kind: "value", node: bias, index: [row] } });
  }
  if (sides === "input") return rows;
  const product = trace.nodes.find((node) => node.op === "linear" && node.time === column.t && trace.through(node.inputs[1]!) === Wh)!;
  const state = trace.value(product.inputs[0]!);
  const weights = trace.value(Wh);
  for (let j = 0; j < grid!.hidden; j++) {
    const from = origin(trace, product.inputs[0]!, [b, j]);
    const [w, h] = [weights.at([row, j]), state.at([b, j])];
    rows.push({
      label: `$${reset === null ? "" : "r\\,"}${symbols.element(from.node, from.index)}$`,
      detail: `${three((reset ?? 1) * w)} \u00d7 ${three(h)}`,
      value: (reset ?? 1) * w * h,
      arrived: true,
      t: grid!.previous(column.t),
      target: { kind: "value", node: from.node, index: from.index },
    });
  }
  return rows;
}

/** The input's part: one row for a letter, else one row a feature. */
function inputRows(context: Context, column: Column, row: number, b: number, Wx: number): Row[] {
  const { trace, symbols } = context;
  const x = trace.value(column.x);
  const weights = trace.value(Wx);
  const token = context.grid!.shown.layer === 0 ? trace.batch?.examples[b]?.tokens[column.t - 1] : undefined;
  const terms = Array.from({ length: x.shape[1]! }, (_, k) => ({ k, w: weights.at([row, k]), x: x.at([b, k]) }));
  if (typeof token === "string") {
    const hot = terms.find((term) => term.x !== 0);
    return [
      {
        label: { key: "why.row.input" },
        detail: { key: "why.detail.column", params: { weight: `$${symbols.of(Wx)}$`, token } },
        value: terms.reduce((sum, term) => sum + term.w * term.x, 0),
        arrived: true,
        t: column.t,
        ...(hot && { target: { kind: "value" as const, node: Wx, index: [row, hot.k] } }),
      },
    ];
  }
  return terms.map(({ k, w, x: value }) => ({
    label: `$${symbols.element(column.x, [b, k])}$`,
    detail: `${three(w)} \u00d7 ${three(value)}`,
    value: w * value,
    arrived: true,
    t: column.t,
    target: { kind: "value", node: column.x, index: [b, k] }, // above the first layer: a state of the layer below
  }));
}

const weightTex = (name: string): string => `W_{\\mathrm{${name}}}`;
const ofInput = (notation: Notation, name: string): string => weighed(notation, weightTex(`i${name}`), "x_{t}");
const ofState = (notation: Notation, name: string): string => weighed(notation, weightTex(`h${name}`), "h_{t-1}");

const resetTex = (notation: Notation): string => `${ofState(notation, "n")} + b_{\\mathrm{hn}}`;

/** A hidden state of an RNN, a gate or a candidate: an activation of a sum. */
function squashed(context: Context, e: Explanation, node: TraceNode, column: Column, gate: string | null): boolean {
  const { trace, grid, notation } = context;
  const [b, i] = e.target.index as [number, number];
  const row = gate === null ? i : GATES[grid!.cell]!.indexOf(gate) * grid!.hidden + i;
  const reset = grid!.cell === "gru" && gate === "n" ? trace.value(column.gates.get("r")!).at([b, i]) : null;
  e.rows = reset === null ? affineRows(context, column, row, b, "both") : [
    ...affineRows(context, column, row, b, "input"),
    ...affineRows(context, column, row, b, "state", reset),
  ];
  const sum = (e.sum = total(e.rows));
  const turned = isUpdateGate(node) && context.notation.z !== "keep";
  const value = e.value!;
  const shown = (e.value = turned ? gateValue(notation, value) : value);
  const op = node.op!;
  const slope = op === "tanh" ? 1 - value * value : op === "sigmoid" ? value * (1 - value) : value > 0 ? 1 : 0;
  const name = op === "sigmoid" ? "\\sigma" : op === "tanh" ? "\\tanh" : `\\operatorname{${op}}`;
  e.sumLabel = { key: "why.sum" };
  e.kind = { key: gate === null ? "why.kind.hidden" : isCandidate(grid!.cell, gate) ? "why.kind.candidate" : "why.kind.gate" };
  e.symbols =
    gate === null
      ? `h_{t} = ${name}(${ofInput(notation, "h")} + b_{\\mathrm{ih}} + ${ofState(notation, "h")} + b_{\\mathrm{hh}})`
      : reset === null
        ? `${gate}_{t} = ${turned ? "1 - " : ""}${name}(${ofInput(notation, gate)} + b_{\\mathrm{i${gate}}} + ${ofState(notation, gate)} + b_{\\mathrm{h${gate}}})`
        : `n_{t} = \\tanh\\bigl(${ofInput(notation, "n")} + b_{\\mathrm{in}} + r_{t} \\odot (${resetTex(notation)})\\bigr)`;
  e.numbers = `$${e.title}$ = ${turned ? "1 \u2212 " : ""}${op === "sigmoid" ? "\u03c3" : op}(${four(sum)}) = ${four(shown)}`;
  const saturated = slope < 0.1 && op !== "relu";
  e.sentence = {
    key: turned ? "why.say.gate_renews" : `why.say.${op === "sigmoid" ? "gate" : op === "tanh" ? "tanh" : "activation"}${saturated ? "_saturated" : ""}`,
    params: { count: e.rows.length, sum: three(sum), slope: decimals(slope, 3, false), op, share: `${decimals(100 * shown, 0, false)} %` },
  };
  e.facts = [{ key: "why.fact.local", params: { formula: op === "tanh" ? `1 ${"\u2212"} $${node.label}^{2}$` : op === "sigmoid" ? `$${turned ? "-" : ""}${node.label}(1-${node.label})$` : "" }, value: turned ? -slope : slope }];
  return true;
}

const isCandidate = (cell: string, gate: string): boolean => (cell === "lstm" && gate === "g") || (cell === "gru" && gate === "n");

function beforeTanh(context: Context, e: Explanation, column: Column): boolean {
  const [b, i] = e.target.index as [number, number];
  e.rows = affineRows(context, column, i, b, "both");
  e.sum = total(e.rows);
  e.symbols = `a_{t} = ${ofInput(context.notation, "h")} + b_{\\mathrm{ih}} + ${ofState(context.notation, "h")} + b_{\\mathrm{hh}}`;
  e.numbers = `$${e.title}$ = ${four(e.value!)}`;
  e.sentence = { key: "why.say.affine", params: { count: e.rows.length, sum: six(e.value!) } };
  return true;
}

/** A GRU's r ⊙ (W_hn h + b_hn): what the reset gate lets into the candidate. */
function resetState(context: Context, e: Explanation, node: TraceNode, column: Column): boolean {
  const { trace, grid } = context;
  const RESET = resetTex(context.notation);
  const [b, i] = e.target.index as [number, number];
  const [reset, part] = node.inputs.map((input) => trace.value(input).at([b, i])) as [number, number];
  e.rows = affineRows(context, column, GATES.gru!.indexOf("n") * grid!.hidden + i, b, "state", reset);
  e.sum = total(e.rows);
  e.kind = { key: "why.kind.reset" };
  e.symbols = `r_{t} \\odot (${RESET})`;
  e.numbers = `${three(reset)} \u00d7 ${three(part)} = ${four(e.value!)}`;
  e.sentence = { key: "why.say.reset", params: { share: `${decimals(100 * reset, 0, false)} %` } };
  e.facts = [
    { key: "why.fact.slope", params: { by: "$r_{t}$", formula: `$${RESET}$` }, value: part },
    { key: "why.fact.slope", params: { by: `$${RESET}$`, formula: "$r_{t}$" }, value: reset },
  ];
  return true;
}

/** A row that is a product of two elements. */
function product(context: Context, label: string, left: number, right: { node: number; value: number; index: number[] }): Row {
  return {
    label: `$${label}$`,
    detail: `${three(left)} \u00d7 ${three(right.value)}`,
    value: left * right.value,
    arrived: true,
    t: context.trace.nodes[right.node]!.time,
    target: { kind: "value", node: right.node, index: right.index },
  };
}

/** The step whose state a step starts from: 0 where the sequence begins, be it from its end. */
const earlier = ({ grid }: Context, column: Column): number => (grid!.column(grid!.previous(column.t)) ? grid!.previous(column.t) : 0);

/** The state that a cell's step started from, as the step saw it. */
function before(context: Context, column: Column, which: "h" | "c", index: number[]): { node: number; value: number; index: number[] } {
  const { trace, grid } = context;
  const state = grid!.stateBefore(column.t, index[0]);
  const node = which === "h" ? state.h : state.c!;
  return { node, index, value: trace.value(node).at(index) };
}

function cellState(context: Context, e: Explanation, column: Column): boolean {
  const { trace } = context;
  const { index } = e.target;
  const gate = (name: string): number => trace.value(column.gates.get(name)!).at(index);
  const g = column.gates.get("g")!;
  e.rows = [
    product(context, `f_{${column.t}}\\,c_{${earlier(context, column)}}`, gate("f"), before(context, column, "c", index)),
    product(context, `i_{${column.t}}\\,g_{${column.t}}`, gate("i"), { node: g, value: gate("g"), index }),
  ];
  e.sum = total(e.rows);
  e.kind = { key: "why.kind.cell_state" };
  e.symbols = "c_{t} = f_{t} \\odot c_{t-1} + i_{t} \\odot g_{t}";
  e.numbers = `$${e.title}$ = ${written(e.rows)} = ${four(e.value!)}`;
  e.sentence = {
    key: "why.say.cell_state",
    params: { kept: `${decimals(100 * gate("f"), 0, false)} %`, written: `${decimals(100 * gate("i"), 0, false)} %` },
  };
  return true;
}

function exposed(context: Context, e: Explanation, column: Column): boolean {
  const { trace } = context;
  const { index } = e.target;
  const o = trace.value(column.gates.get("o")!).at(index);
  const c = trace.value(column.c!).at(index);
  e.rows = [product(context, `o_{${column.t}}\\,\\tanh(c_{${column.t}})`, o, { node: column.c!, value: Math.tanh(c), index })];
  e.sum = total(e.rows);
  e.kind = { key: "why.kind.hidden" };
  e.symbols = "h_{t} = o_{t} \\odot \\tanh(c_{t})";
  e.numbers = `$${e.title}$ = ${three(o)} \u00d7 tanh(${three(c)}) = ${four(e.value!)}`;
  e.sentence = { key: "why.say.exposed", params: { share: `${decimals(100 * o, 0, false)} %` } };
  return true;
}

function mixed(context: Context, e: Explanation, column: Column): boolean {
  const { trace } = context;
  const { index } = e.target;
  const gate = (name: string): number => trace.value(column.gates.get(name)!).at(index);
  const [z, n] = [gate("z"), gate("n")];
  const keep = context.notation.z === "keep";
  e.rows = [
    product(context, `${keep ? `(1-z_{${column.t}})` : `z_{${column.t}}`}\\,n_{${column.t}}`, 1 - z, { node: column.gates.get("n")!, value: n, index }),
    product(context, `${keep ? `z_{${column.t}}` : `(1-z_{${column.t}})`}\\,h_{${earlier(context, column)}}`, z, before(context, column, "h", index)),
  ];
  e.sum = total(e.rows);
  e.kind = { key: "why.kind.hidden" };
  e.symbols = `h_{t} = ${mixture(context.notation, "z_{t}", "n_{t}", "h_{t-1}")}`;
  e.numbers = `$${e.title}$ = ${written(e.rows)} = ${four(e.value!)}`;
  e.sentence = { key: "why.say.mixed", params: { kept: `${decimals(100 * z, 0, false)} %` } };
  return true;
}
