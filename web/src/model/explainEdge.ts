// Why what comes back over an edge: one contribution to a gradient, and the hop from the state of one step back to that of the step before it.

import { hopInto, normTex, strongestOf } from "./edges";
import { contributionRows, slopeFacts } from "./contributionRows";
import { equation, finish, renewed } from "./explainGradient";
import { namedWhole } from "./gradientRoute";
import { blank, useOf, type Context, type Explanation, type Row, type Target } from "./explanation";
import { gateGradient, isUpdateGate } from "../math/notation";
import type { Contribution } from "./film";
import { decimals, six } from "./format";
import { ALL, gradientNorm, gradientSlice, norm } from "./network";
import { along as alongOf } from "./norm";

/** One contribution: the gradient of what reads the number there, times the slope by it. RangeError where the gradient has no such one. */
export function explainContribution(context: Context, target: Target): Explanation {
  const { film, trace, symbols, m, notation } = context;
  const all = film.contributions(target.node);
  const one = all[target.part!];
  if (!one) throw new RangeError(`node ${target.node} gets ${all.length} contributions; there is no number ${target.part}`);
  const e = blank(context, target, "backward", "why.kind.contribution");
  const node = trace.nodes[target.node]!;
  const arrived = one.arrived < m;
  const turned = isUpdateGate(node) && notation.z !== "keep";
  const turn = (value: number): number => (turned ? gateGradient(notation, value) : value);
  e.title = `${e.title}\\,\\Big|_{${over(context, one)}}`;
  e.state = arrived ? "known" : "unknown";
  e.value = arrived ? turn(one.tensor().at(target.index)) : null;
  if (turned) renewed(context, e, [one]);
  else {
    e.rows = contributionRows(context, one, target.index);
    e.symbols = equation(context, e, [one]);
  }
  e.symbols = e.symbols.replace(" = ", `\\,\\Big|_{${over(context, one)}} = `);
  const consumer = trace.nodes[one.node];
  const { muted } = useOf(trace, one);
  const key = muted ? "muted" : one.kind !== "vjp" ? "other" : all.length === 1 ? "only" : "of";
  e.sentence = { key: `why.say.edge_${key}`, params: { count: all.length, op: consumer?.op ?? "", from: `$${symbols.inlineGradient(target.node, target.index)}$` } };
  e.facts = slopeFacts(context, one, target.index);
  if (all.length > 1 && film.complete(node.id, m)) {
    e.facts.push({ key: "why.fact.all", params: { count: all.length, of: `$${symbols.inlineGradient(target.node, target.index)}$` }, value: turn(trace.gradient(node.id)!.at(target.index)), target: { kind: "gradient", node: target.node, index: target.index } });
  }
  return finish(e);
}

/** What stands for the edge: the step of a shared weight's use, or what reads the number there. */
function over({ trace, symbols, grid }: Context, one: Contribution): string {
  const [from, to] = [trace.nodes[one.node], trace.nodes[one.target]!];
  if (!from) return "0";
  if (grid && to.role === "parameter" && one.time !== null) return `t = ${one.time}`;
  const several = from.inputs.filter((input) => input === one.target).length > 1;
  const name = symbols.named(one.node) ?? `\\mathrm{${(from.op ?? "").replaceAll("_", "\\_")}}${grid && from.time !== null ? `_{${from.time}}` : ""}`;
  return several ? `${name},\\,${one.port + 1}` : name;
}

/** By what a hop multiplies the norm of the gradient: a row for each way over which it comes, each the product of what the norm is multiplied by on the way. */
export function explainHop(context: Context, target: Target): Explanation {
  const { film, trace, grid, m, example } = context;
  const e = blank(context, target, "backward", "why.kind.hop");
  const hop = grid && hopInto(context, grid, target.node, example);
  if (!grid || !hop) throw new RangeError(`no hop from one state to another ends at node ${target.node}`);
  const { from, to, which, parts } = hop;
  const size = (t: number): string => normTex(which, t);
  e.title = `${size(to)} / ${size(from)}`;
  const counted = parts.filter((one) => one.arrived < m);
  const before = gradientNorm(film, grid, from, example, m, which);
  const after = sum(counted.map((one) => rowOf(one, example)));
  const params = { from, to, which: `$${which}_{${to}}$` };
  e.sentence = { key: "why.say.hop_none", params };
  e.symbols = `\\frac{${size(to)}}{${size(from)}}`;
  if (parts.length === 0) return e;
  e.sentence = { key: "why.say.not_arrived" };
  if (counted.length === 0 || before === null || before === 0) return e;
  const length = norm(after);
  e.state = counted.length === parts.length ? "known" : "open";
  e.value = length / before;
  e.numbers = `= ${decimals(length, 4, false)} \u00f7 ${decimals(before, 4, false)} = ${six(e.value, false)}`;
  e.rows = parts.map((one): Row => {
    const arrived = one.arrived < m;
    const [made, at] = [trace.gradient(one.node), rowOf(one, example)];
    const upstream = made ? norm(gradientSlice(made, example)) : 0;
    const reached = upstream / before;
    const through = upstream === 0 ? 0 : norm(at) / upstream;
    const along = norm(at) === 0 || length === 0 ? 0 : alongOf(at, after, length) / norm(at);
    const factors = parts.length === 1 ? [reached, through] : [reached, through, along];
    return {
      label: namedWhole(context, one.node, Math.max(0, example)),
      detail: arrived ? factors.map((x) => decimals(x, 3, false)).join(" \u00d7 ") : { key: "why.detail.pending" },
      value: factors.reduce((product, x) => product * x, 1),
      arrived,
      t: one.time,
      target: strongestOf(context, one, example === ALL ? null : example),
    };
  });
  e.sum = e.rows.reduce((total, row) => (row.arrived ? total + row.value : total), 0);
  const [first] = e.rows;
  const factor = decimals(e.value, 3, false);
  if (!Number.isFinite(e.value)) e.sentence = { key: "why.say.hop_lost", params: { ...params, before: six(before, false), after: six(length, false) } };
  else e.sentence = e.state === "open"
    ? { key: "why.say.gradient_open", params: { arrived: counted.length, count: parts.length } }
    : parts.length === 1
      ? { key: "why.say.hop_one", params: { ...params, factor, ...halves(first!) } }
      : { key: "why.say.hop_several", params: { ...params, factor, count: parts.length } };
  return e;
}

/** The two factors of a hop's only way, as its row writes them. */
function halves({ detail }: Row): { reached: string; through: string } {
  const [reached, through] = (detail as string).split(" \u00d7 ") as [string, string];
  return { reached, through };
}

function rowOf(one: Contribution, example: number): Float64Array {
  return Float64Array.from(gradientSlice(one.tensor(), example));
}

function sum(arrays: readonly Float64Array[]): Float64Array {
  const total = new Float64Array(arrays[0]?.length ?? 0);
  for (const array of arrays) array.forEach((x, i) => (total[i]! += x));
  return total;
}
