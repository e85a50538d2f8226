// Why one term of an update: the rule's own formula for it, with this element's numbers, and each number that goes into it.

import { toLatex } from "../math/latex";
import type { Context, Explanation, Row, Target } from "./explanation";
import { short, tex } from "./format";
import { evaluate } from "./terms";
import type { RuleEntry, Tree } from "./trace";

type Value = (name: string) => number | null;

/** Terms and hyper-parameters that have words; any other is known by its symbol. */
const WORDED = new Set([
  "gradient", "coefficient", "clip_value", "clipped", "old", "decayed", "exp_avg_prev", "exp_avg", "exp_avg_sq_prev", "exp_avg_sq", "max_exp_avg_sq_prev", "max_exp_avg_sq",
  "exp_avg_hat", "exp_avg_sq_hat", "square_avg_prev", "square_avg", "grad_avg_prev", "grad_avg", "variance", "sum_prev", "sum", "scaled", "momentum_buffer_prev", "momentum_buffer",
  "lookahead", "decayed_lr", "adaptive_step", "decay", "delta", "new", "lr", "beta1", "beta2", "alpha", "momentum", "dampening", "eps", "weight_decay", "step", "lr_decay",
]);
const SAID = new Set([
  "coefficient", "clipped", "old", "decayed", "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "exp_avg_hat", "exp_avg_sq_hat", "square_avg", "grad_avg", "variance", "sum", "scaled",
  "momentum_buffer", "lookahead", "decayed_lr", "adaptive_step", "decay", "delta", "new",
]);
const AVERAGES: Record<string, string> = { exp_avg: "beta1", exp_avg_sq: "beta2", square_avg: "alpha", grad_avg: "alpha", momentum_buffer: "momentum" };

/** What a click on a term explains: the gradient by where it comes from, all others by the rule; undefined for a hyper-parameter. */
export function targetOfTerm(rule: RuleEntry, { node, index }: Target, name: string): Target | undefined {
  if (name === "gradient") return { kind: "gradient", node, index };
  return rule.terms.some((term) => term.name === name) ? { kind: "update", node, index, term: name } : undefined;
}

/** Fills `e`, whose target names a term of `rule`; `value` knows the numbers of the element. */
export function explainTerm(context: Context, e: Explanation, rule: RuleEntry, value: Value): Explanation {
  const { node, index } = e.target;
  const whole = { key: "why.term.whole", params: { of: `$${context.symbols.element(node, index)}$` }, value: value("new") ?? NaN, target: { kind: "update" as const, node, index } };
  fill(context, e, rule, value);
  e.facts.push(whole);
  return e;
}

function fill({ film, symbols }: Context, e: Explanation, rule: RuleEntry, value: Value): void {
  const { target } = e;
  const name = target.term!;
  const { formula } = rule.terms.find((term) => term.name === name)!;
  const own = rule.symbols[name]!;
  e.title = `${own}\\,\\Big|_{${symbols.element(target.node, target.index)}}`;
  e.value = value(name);
  e.state = e.value === null ? "unknown" : "known";
  e.move = null;
  delete e.before;
  e.facts = [];
  if (e.value === null) return;
  const family = name.replace(/_\d+$/, ""); // clipped twice: clipped_1
  const kept = name.endsWith("_prev");
  const share = value(AVERAGES[name] ?? "") ?? 0;
  e.sentence = { key: kept ? "why.term_say.kept" : SAID.has(family) ? `why.term_say.${family}` : "why.term_say.other", params: { share: short(share), step: value("step") ?? 1 } };
  if (family === "coefficient" && film.clip) {
    const { norm, maxNorm } = film.clip;
    e.symbols = `${own} = \\min\\left(1, \\frac{g_{\\max}}{\\lVert g\\rVert + 10^{-6}}\\right)`;
    e.numbers = `$= \\min\\left(1, \\frac{${written(maxNorm)}}{${written(norm)} + 10^{-6}}\\right) = ${written(e.value)}$`;
    e.facts = [{ key: "why.term.max_norm", params: { symbol: "$g_{\\max}$" }, value: maxNorm }, { key: "why.term.norm", params: { symbol: "$\\lVert g\\rVert$" }, value: norm }];
    return;
  }
  if (formula === null) return;
  const names = namesIn(formula);
  const numbers = Object.fromEntries(names.map((one) => [one, value(one) ?? (one === "clipped" ? value("gradient") : null) ?? NaN]));
  e.symbols = `${own} = ${toLatex(formula, rule.symbols)}`;
  e.numbers = `$= ${toLatex(formula, texts(numbers), cased(numbers))} = ${written(e.value)}$`;
  const parts = addends(formula);
  if (parts.length > 1) {
    e.rows = parts.map((part): Row => ({
      label: `$${toLatex(part, rule.symbols)}$`,
      detail: typeof part === "string" ? "" : `$${toLatex(part, {}, numbers)}$`,
      value: evaluate(part, numbers),
      arrived: true,
      t: null,
      ...(typeof part === "string" && { target: targetOfTerm(rule, target, part) }),
    }));
  }
  e.facts = names.map((one) => {
    const word = one.replace(/_\d+$/, "");
    const goes = targetOfTerm(rule, target, one);
    return { key: WORDED.has(word) ? `why.term.${word}` : "why.term.other", params: { symbol: `$${rule.symbols[one] ?? one}$` }, value: numbers[one]!, ...(goes && { target: goes }) };
  });
}

/** The names of a formula, each once, in their order. */
export function namesIn(tree: Tree): string[] {
  if (typeof tree === "number") return [];
  if (typeof tree === "string") return [tree];
  const [kind, ...rest] = tree;
  return [...new Set((kind === "call" ? rest.slice(1) : rest).flatMap(namesIn))];
}

/** What a formula adds up, each with its sign. */
function addends(tree: Tree, negative = false): Tree[] {
  const [kind, a, b] = Array.isArray(tree) ? (tree as unknown as [string, Tree, Tree]) : ["", 0, 0];
  if (kind === "add" || kind === "sub") return [...addends(a, negative), ...addends(b, negative !== (kind === "sub"))];
  return [negative ? (["neg", tree] as unknown as Tree) : tree];
}

const written = (x: number): string => tex(short(x));

/** Numbers that can stand in a name's place: what is signed or a power of ten in parentheses. */
function texts(numbers: Record<string, number>): Record<string, string> {
  return Object.fromEntries(Object.entries(numbers).map(([name, x]) => [name, /^-|\\/.test(written(x)) ? `(${written(x)})` : written(x)]));
}

/** The step, by which a formula with cases is told: small enough for all of its digits. */
function cased({ step }: Record<string, number>): Record<string, number> {
  return step !== undefined && step < 1000 ? { step } : {};
}
