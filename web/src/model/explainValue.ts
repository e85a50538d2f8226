// Why a value: what its op made of its inputs, with the numbers of this moment.

import { symbol, toLatex } from "../math/latex";
import { explainCell } from "./explainCell";
import { blank, total, written, type Context, type Explanation, type Row, type Target } from "./explanation";
import { decimals, four, MINUS, six, tex, three } from "./format";
import { elementNumbers, elementTerms, evaluate, MOVES, origin, type Term } from "./terms";
import type { TraceNode } from "./trace";

export function explainValue(context: Context, target: Target): Explanation {
  const { film, trace, m } = context;
  const node = trace.nodes[target.node]!;
  const e = blank(context, target, node.op === "cross_entropy" || node.op === "mse_loss" ? "loss" : "forward", "why.kind.value");
  if (film.known(node.id, m)) return known(context, e, node);
  const { kind, symbols } = known(context, { ...e }, node); // the formula holds already, its numbers do not
  return { ...e, kind, symbols, sentence: { key: "why.say.not_computed" } };
}

function known(context: Context, e: Explanation, node: TraceNode): Explanation {
  const { trace } = context;
  const { target } = e;
  e.value = trace.value(node.id).at(target.index);
  e.state = "known";
  if (node.op === null) return leaf(context, e, node);
  const computed = trace.typedOver(node.id);
  if (computed !== null) return typed(context, e, node, computed);
  if (explainCell(context, e, node)) return e;
  if (node.op === "cross_entropy") return crossEntropy(context, e, node);
  if (node.op === "mse_loss") return meanSquare(context, e, node);
  if (node.op === "softmax") return softmax(context, e, node);
  if (affine(context, e, node)) return e;
  const terms = elementTerms(trace, node.id, target.index);
  if (terms && MOVES.has(node.op)) return moved(context, e, node, terms[0]!);
  if (terms) return summed(context, e, node, terms);
  return elementwise(context, e, node);
}

/** A node some of whose elements were typed: such an element is what was typed, any other what was computed. */
function typed(context: Context, e: Explanation, node: TraceNode, computed: number): Explanation {
  const { trace } = context;
  const { index } = e.target;
  if (trace.value(node.inputs[0]!).at(index) === 0) return { ...known(context, { ...e, target: { ...e.target, node: computed } }, trace.nodes[computed]!), target: e.target };
  e.kind = { key: "why.kind.typed" };
  e.symbols = `${e.title} \\coloneqq ${tex(six(e.value!))}`;
  e.sentence = { key: "why.say.typed", params: { computed: six(trace.value(computed).at(index)) } };
  return e;
}

function definition({ symbols }: Context, node: TraceNode): string {
  const [name, formula] = [symbols.of(node.id), symbols.composed(node.id)];
  return name === formula ? name : `${name} = ${formula}`;
}

function leaf(context: Context, e: Explanation, node: TraceNode): Explanation {
  e.symbols = e.title;
  if (node.role === "parameter" || node.requires_grad) {
    e.kind = { key: node.role === "parameter" ? "why.kind.parameter" : "why.kind.input" };
    e.sentence = { key: context.film.update(node.id) ? "why.say.parameter" : "why.say.free_input" };
  } else if (node.label === "h_0" || node.label === "c_0") {
    e.kind = { key: "why.kind.initial" };
    e.sentence = { key: "why.say.initial", params: { symbol: `$${symbol(node.label)}$` } };
  } else if (node.role === "input") {
    e.kind = { key: "why.kind.input" };
    e.sentence = { key: "why.say.input" };
  } else {
    e.kind = { key: "why.kind.constant" };
    e.sentence = { key: "why.say.constant" };
  }
  return e;
}

/** One row a term: factor × number. */
export function termRows(context: Context, node: TraceNode, terms: readonly Term[]): Row[] {
  const { trace, symbols } = context;
  return terms.map(({ port, index, factor }) => {
    const from = origin(trace, node.inputs[port]!, index);
    const value = trace.value(node.inputs[port]!).at(index);
    const weighted = node.op === "linear" || node.op === "matmul" || node.op === "mean";
    return {
      label: `$${symbols.element(from.node, from.index)}$`,
      detail: weighted ? `${three(factor)} \u00d7 ${three(value)}` : factor === -1 ? `${MINUS}(${three(value)})` : "",
      value: factor * value,
      arrived: true,
      t: trace.nodes[from.node]!.time,
      target: { kind: "value", node: from.node, index: from.index },
    };
  });
}

function summed(context: Context, e: Explanation, node: TraceNode, terms: readonly Term[]): Explanation {
  e.symbols = definition(context, node);
  e.rows = termRows(context, node, terms);
  e.sum = total(e.rows);
  e.sentence = { key: "why.say.sum", params: { count: terms.length, sum: six(e.value!) } };
  e.numbers = `$${e.title}$ = ${written(e.rows)} = ${four(e.value!)}`;
  return e;
}

function moved(context: Context, e: Explanation, node: TraceNode, term: Term): Explanation {
  const from = origin(context.trace, node.inputs[term.port]!, term.index);
  e.symbols = `${e.title} = ${context.symbols.element(from.node, from.index)}`;
  e.rows = termRows(context, node, [term]);
  e.sentence = { key: "why.say.moved", params: { from: `$${context.symbols.element(from.node, from.index)}$` } };
  return e;
}

/** x Wᵀ + b as one sum. */
function affine(context: Context, e: Explanation, node: TraceNode): boolean {
  const { trace, symbols } = context;
  const product = node.op === "add" ? trace.nodes[node.inputs[0]!]! : null;
  const bias = node.op === "add" ? trace.nodes[node.inputs[1]!]! : null;
  if (!product || !bias || product.op !== "linear" || bias.role !== "parameter" || bias.shape.length !== 1) return false;
  const { index } = e.target;
  const at = [index.at(-1)!];
  const b = trace.value(bias.id).at(at);
  e.rows = [
    { label: { key: "why.row.bias" }, detail: `$${symbols.element(bias.id, at)}$`, value: b, arrived: true, t: null, target: { kind: "value", node: bias.id, index: at } },
    ...termRows(context, product, elementTerms(trace, product.id, index)!),
  ];
  e.symbols = definition(context, node);
  e.sum = total(e.rows);
  e.sentence = { key: "why.say.affine", params: { count: e.rows.length, sum: six(e.value!) } };
  e.numbers = `$${e.title}$ = ${four(e.value!)}`;
  return true;
}

/** Ops whose names are no names of functions: each has a sentence of its own. */
const SENTENCES: ReadonlySet<string> = new Set(["mul", "div", "pow"]);

function elementwise(context: Context, e: Explanation, node: TraceNode): Explanation {
  const { trace, symbols } = context;
  const entry = trace.ops[node.op!];
  e.symbols = definition(context, node);
  e.sentence = SENTENCES.has(node.op!) ? { key: `why.say.op_${node.op}` } : { key: "why.say.op", params: { op: node.op! } };
  if (!entry?.formula) {
    e.numbers = `$${e.title}$ = ${four(e.value!)}`;
    return e;
  }
  const numbers = elementNumbers(trace, node.id, e.target.index);
  e.numbers = `$${toLatex(entry.formula, {}, numbers)} = ${tex(six(e.value!, false))}$`;
  entry.derivatives.forEach(({ input, formula }, port) => {
    if (!formula || !trace.nodes[node.inputs[port]!]!.requires_grad) return;
    const names = { y: symbols.of(node.id), ...Object.fromEntries(entry.inputs.map((name, i) => [name, symbols.of(node.inputs[i]!)])) };
    const short = Object.values(names).every((name) => name.length < 24);
    e.facts.push({
      key: "why.fact.slope",
      params: { by: `$${short ? names[input as keyof typeof names] : symbol(input)}$`, formula: `$${toLatex(formula, short ? names : {})}$` },
      value: evaluate(formula, numbers),
    });
  });
  return e;
}

/** log Σ eᶻ of a row, computed as the engine does. */
export function logSumExp(z: ArrayLike<number>): number {
  let top = -Infinity;
  for (let k = 0; k < z.length; k++) top = Math.max(top, z[k]!);
  let sum = 0;
  for (let k = 0; k < z.length; k++) sum += Math.exp(z[k]! - top);
  return top + Math.log(sum);
}

function crossEntropy(context: Context, e: Explanation, node: TraceNode): Explanation {
  const { trace, symbols, grid } = context;
  const [z, y] = [trace.value(node.inputs[0]!), trace.value(node.inputs[1]!)];
  const [batch, classes] = [z.shape[0]!, z.shape[1]!];
  const chances: number[] = [];
  e.rows = Array.from({ length: batch }, (_, b): Row => {
    const logits = z.data.subarray(b * classes, (b + 1) * classes);
    const log = logits[y.flat(b)]! - logSumExp(logits);
    chances.push(Math.exp(log));
    const index = [b, y.flat(b)];
    return {
      label: grid?.examples[b]?.text ?? `$${symbols.element(node.inputs[0]!, index)}$`,
      detail: `${MINUS}ln ${decimals(Math.exp(log), 4, false)}${batch > 1 ? ` \u00f7 ${batch}` : ""}`,
      value: -log / batch,
      arrived: true,
      t: null,
      target: { kind: "value", node: node.inputs[0]!, index },
    };
  });
  e.kind = { key: "why.kind.cross_entropy" };
  e.symbols = batch > 1 ? "L = -\\frac{1}{B}\\sum_{b} \\ln p^{(b)}[y]" : "L = -\\ln p[y], \\quad p = \\mathrm{softmax}(z)";
  e.sum = total(e.rows);
  e.numbers = batch > 1 ? `$L$ = ${written(e.rows)} = ${six(e.value!, false)}` : `$L$ = ${MINUS}ln ${decimals(chances[0]!, 4, false)} = ${six(e.value!, false)}`;
  e.sentence =
    batch > 1
      ? { key: "why.say.cross_entropy_batch", params: { count: batch } }
      : { key: "why.say.cross_entropy", params: { p: decimals(chances[0]!, 3, false), target: grid?.batch.classes?.[y.flat(0)] ?? String(y.flat(0)) } };
  return e;
}

function meanSquare(context: Context, e: Explanation, node: TraceNode): Explanation {
  const { trace, symbols } = context;
  const [x, y] = [trace.value(node.inputs[0]!), trace.value(node.inputs[1]!)];
  e.rows = Array.from({ length: x.size }, (_, i): Row => {
    const index = x.unravel(i);
    return {
      label: `$${symbols.element(node.inputs[0]!, index)}$`,
      detail: `(${three(x.flat(i))} ${MINUS} ${three(y.flat(i)).replace(/^\+/, "")})\u00b2 \u00f7 ${x.size}`,
      value: (x.flat(i) - y.flat(i)) ** 2 / x.size,
      arrived: true,
      t: null,
      target: { kind: "value", node: node.inputs[0]!, index },
    };
  });
  e.kind = { key: "why.kind.mse" };
  e.symbols = "L = \\frac{1}{n}\\sum \\left(\\hat{y} - y\\right)^{2}";
  e.sum = total(e.rows);
  e.numbers = `$L$ = ${six(e.value!, false)}`;
  e.sentence = { key: "why.say.mse", params: { count: x.size } };
  return e;
}

function softmax(context: Context, e: Explanation, node: TraceNode): Explanation {
  const { trace, symbols } = context;
  const { index } = e.target;
  const z = trace.value(node.inputs[0]!);
  const own = z.at(index);
  const start = z.offset([...index.slice(0, -1), 0]);
  const logits = z.data.subarray(start, start + z.shape.at(-1)!);
  const top = Math.max(...logits);
  const shift = Math.abs(top) > 50 ? top : 0; // far-off logits are moved first, as the engine always does; the ratio stays
  e.rows = Array.from(logits, (zk, k): Row => {
    const at = [...index.slice(0, -1), k];
    return {
      label: `$${symbols.element(node.inputs[0]!, at)}$`,
      detail: `$e^{${tex(decimals(zk - shift, 3, false))}}$`,
      value: Math.exp(zk - shift),
      arrived: true,
      t: node.time,
      target: { kind: "value", node: node.inputs[0]!, index: at },
    };
  });
  e.sum = total(e.rows);
  e.kind = { key: "why.kind.probability" };
  e.symbols = "p[k] = \\frac{e^{z[k]}}{\\sum_{j} e^{z[j]}}";
  const mine = Math.exp(own - shift);
  e.numbers = `$${e.title}$ = ${decimals(mine, 4, false)} \u00f7 ${decimals(e.sum, 4, false)} = ${decimals(e.value!, 4, false)}`;
  e.sentence = { key: node.role === "probe" ? "why.say.softmax_probe" : "why.say.softmax", params: { share: `${decimals(100 * e.value!, 1, false)} %` } };
  return e;
}
