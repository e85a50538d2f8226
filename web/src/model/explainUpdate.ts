// Why a parameter's new value: the optimizer's terms as a ladder, and the distance it moved.

import { blank, type Context, type Explanation, type LadderStep, type Target } from "./explanation";
import { explainTerm, targetOfTerm } from "./explainTerm";
import { decimals, MINUS, six } from "./format";
import { OPTIMIZER_NAMES, type Program } from "./program";
import type { RuleEntry, Tensor } from "./trace";

/** LaTeX of a rule's terms and hyper-parameters, as the trace gives it. */
type Names = Record<string, string>;

/** One step of a ladder: which term, how it is written, of which kind; `root` shows the square root of the term. */
interface Rung {
  term: string;
  tone: LadderStep["tone"];
  symbol: (names: Names, term: Term) => string;
  strong?: boolean;
  root?: boolean;
}

type Term = (name: string) => number | null;

const own = (name: string) => (names: Names): string => names[name]!;

const CLIPPED: Rung[] = [
  { term: "gradient", symbol: own("gradient"), tone: "gradient" },
  { term: "clipped", symbol: (n, term) => `${n.clipped} = ${decimals(term("coefficient")!, 3, false)}\\,${n.gradient}`, tone: "gradient" },
];

/** A rung that shows the square root of a term of squares. */
const root = (term: string): Rung => ({ term, symbol: (n) => `\\sqrt{${n[term]}}`, tone: "plain", root: true });

const MOMENTS: Rung[] = [
  { term: "exp_avg", symbol: own("exp_avg"), tone: "plain" },
  root("exp_avg_sq"),
  root("max_exp_avg_sq"),
  { term: "exp_avg_hat", symbol: own("exp_avg_hat"), tone: "plain" },
  root("exp_avg_sq_hat"),
];

const ADAMW: Rung[] = [
  ...CLIPPED,
  ...MOMENTS,
  { term: "adaptive_step", symbol: (n) => `-${n.lr}\\,${n.exp_avg_hat}\\,/\\,(\\sqrt{${n.exp_avg_sq_hat}} + ${n.eps})`, tone: "update", strong: true },
  { term: "decay", symbol: (n) => `-${n.lr}\\,${n.weight_decay}\\,${n.old}`, tone: "update", strong: true },
  { term: "new", symbol: () => "", tone: "update", strong: true },
];

/** Every rule whose step is the learning rate times one term; a term that the rule has not is no rung. */
const OTHERS: Rung[] = [
  ...CLIPPED,
  { term: "decayed", symbol: (n, term) => `${n.decayed} = ${slope(n, term)} + ${n.weight_decay}\\,${n.old}`, tone: "plain" },
  ...MOMENTS,
  root("square_avg"),
  { term: "grad_avg", symbol: own("grad_avg"), tone: "plain" },
  root("variance"),
  root("sum"),
  { term: "scaled", symbol: (n, term) => `${n.scaled} = ${effective(n, term)}\\,/\\,(\\sqrt{${term("variance") !== null ? n.variance : n.square_avg}} + ${n.eps})`, tone: "plain" },
  { term: "momentum_buffer_prev", symbol: own("momentum_buffer_prev"), tone: "plain" },
  { term: "momentum_buffer", symbol: own("momentum_buffer"), tone: "plain" },
  { term: "lookahead", symbol: (n, term) => `${n.lookahead} = ${effective(n, term)} + ${n.momentum}\\,${n.momentum_buffer}`, tone: "plain" },
  { term: "delta", symbol: (n, term) => `-${n.decayed_lr ?? n.lr}\\,${direction(n, term)}`, tone: "update", strong: true },
  { term: "new", symbol: () => "", tone: "update", strong: true },
];

/** Clipping that left the gradient as it was is no step of its own. */
const isClipped = (term: Term): boolean => (term("coefficient") ?? 1) !== 1;
/** What the rule takes for the gradient. */
const slope = (names: Names, term: Term): string => (isClipped(term) ? names.clipped! : names.gradient!);
/** That with the decay which is added to it. */
const effective = (names: Names, term: Term): string => (term("decayed") !== null ? names.decayed! : slope(names, term));
/** What a rule multiplies with the learning rate. */
function direction(names: Names, term: Term): string {
  const first = ["lookahead", "momentum_buffer", "scaled"].find((name) => term(name) !== null);
  if (first) return names[first]!;
  if (term("exp_avg_hat") !== null) return `\\frac{${names.exp_avg_hat}}{\\sqrt{${names.exp_avg_sq_hat}} + ${names.eps}}`;
  const gradient = effective(names, term);
  return term("sum") !== null ? `\\frac{${gradient}}{\\sqrt{${names.sum}} + ${names.eps}}` : gradient;
}

/** The terms of an optimizer's rule that say how a step comes about. */
export function explainUpdate(context: Context, target: Target): Explanation {
  const { film, trace, m } = context;
  const { program } = trace;
  const optimizer = program.kind === "network" ? program.optimizer.name : Object.keys(trace.rules)[0] ?? "sgd";
  const e = blank(context, target, "update", "why.kind.update");
  const update = film.update(target.node);
  const term = update ? elementOf(update.terms, target.index) : () => null;
  e.kind.params = { optimizer: OPTIMIZER_NAMES[optimizer] ?? optimizer, step: term("step") ?? (program.kind === "network" ? program.step : 1) };
  if (!update) {
    e.sentence = { key: "why.say.no_update" };
    return e;
  }
  e.before = term("old")!;
  if (m <= film.moving) {
    e.sentence = { key: "why.say.update_pending", params: { old: six(e.before, false) } };
    return e;
  }
  const [gradient, fresh] = [term("gradient")!, term("new")!];
  const adam = update.terms.has("adaptive_step");
  const rule = trace.rules[optimizer]!;
  const names = rule.symbols;
  e.ladder = ladder(adam ? ADAMW : OTHERS, rule, term, target);
  if (rule.terms.some(({ name }) => name === target.term)) return explainTerm(context, e, rule, term);
  const step = term(adam ? "adaptive_step" : "delta")!;
  const decay = adam ? term("decay")! : 0;
  e.move = { old: e.before, new: fresh, step, decay, gradient };
  e.facts = rateFacts(program, term, names);
  e.symbols = adam
    ? `${names.new} = ${names.old} - ${names.lr}\\,\\frac{${names.exp_avg_hat}}{\\sqrt{${names.exp_avg_sq_hat}} + ${names.eps}} - ${names.lr}\\,${names.weight_decay}\\,${names.old}`
    : `${names.new} = ${names.old} - ${names.decayed_lr ?? names.lr}\\,${direction(names, term)}`;
  if (update.event >= m) { // the optimizer is at work, on other parameters first
    e.sentence = { key: "why.say.update_soon", params: { old: six(e.before, false) } };
    return e;
  }
  e.value = fresh;
  e.state = "known";
  const gone = lost(e.before, gradient, fresh);
  e.sentence = gone ?? sentence(term, gradient, step, decay);
  if (!gone) e.numbers = `= ${six(e.before, false)}${[step, ...(adam ? [decay] : [])].map(added).join("")} = ${six(fresh, false)}`;
  return e;
}

function elementOf(terms: Map<string, Tensor>, index: readonly number[]): Term {
  return (name) => {
    const tensor = terms.get(name);
    if (!tensor) return null;
    return tensor.shape.length === 0 ? tensor.flat(0) : tensor.at(index);
  };
}

function ladder(rungs: readonly Rung[], rule: RuleEntry, term: Term, target: Target): LadderStep[] {
  const names = rule.symbols;
  return rungs.flatMap((rung) => {
    const value = term(rung.term);
    if (value === null || (rung.term === "clipped" && !isClipped(term))) return [];
    return [{ target: targetOfTerm(rule, target, rung.term), name: { key: `why.rung.${rung.term}` }, symbol: rung.symbol(names, term), value: rung.root ? Math.sqrt(value) : value, strong: rung.strong ?? false, tone: rung.tone }];
  });
}

function sentence(term: Term, gradient: number, step: number, decay: number): Explanation["sentence"] {
  const params = { ratio: decimals(Math.abs(step) / (term("decayed_lr") ?? term("lr") ?? NaN), 2, false) };
  const memory = (term("momentum_buffer_prev") ?? term("exp_avg_prev") ?? 0) !== 0; // else a decay that was added to the gradient moves it
  if (gradient === 0) {
    if (step === 0) return { key: decay === 0 ? "why.say.update_still" : "why.say.update_decay", params };
    return { key: memory ? "why.say.update_momentum" : "why.say.update_added", params };
  }
  const against = Math.sign(step) === Math.sign(gradient) && step !== 0;
  if (against) return { key: memory ? "why.say.update_against" : "why.say.update_against_decay", params };
  return { key: `why.say.${manner(term)}_${gradient < 0 ? "up" : "down"}`, params };
}

/** A number as it stands in a sum, behind another. */
const added = (x: number): string => ` ${x < 0 ? MINUS : "+"} ${six(Math.abs(x), false)}`;

/** What is said of a weight that is no finite number, after this step or already before it; null of any other. */
function lost(old: number, gradient: number, fresh: number): Explanation["sentence"] | null {
  if (!Number.isFinite(old)) return { key: "why.say.update_lost_before", params: { old: six(old, false) } };
  if (Number.isFinite(fresh)) return null;
  return Number.isFinite(gradient) ? { key: "why.say.update_overflows", params: { fresh: six(fresh, false) } } : { key: "why.say.update_lost", params: { gradient: six(gradient, false), fresh: six(fresh, false) } };
}

const plain = (x: number): string => String(Number(x.toPrecision(6)));

/** In whose words the length of a step is told. */
function manner(term: Term): string {
  if (term("exp_avg") !== null) return "adamw";
  if (term("momentum_buffer") !== null && term("lookahead") === null) return "momentum";
  return term("square_avg") !== null || term("sum") !== null ? "scaled" : "sgd";
}

/** How the learning rate came about, where it is not what the optimizer was given: an edit, a schedule, the rule's own decay. */
function rateFacts(program: Program, term: Term, names: Names): Explanation["facts"] {
  const facts: Explanation["facts"] = [];
  if (program.kind !== "network") return facts;
  const { edits, schedule, optimizer, step } = program;
  const base = term("initial_lr") ?? term("lr")!;
  const last = edits?.at(-1); // a film's program has those up to its step
  if (last) facts.push({ key: "why.rate.edited", params: { step: last.step, before: plain(edits!.at(-2)?.lr ?? optimizer.lr) }, value: base });
  if (schedule) {
    const constants = Object.entries(schedule).map(([name, value]) => [name, typeof value === "number" ? plain(value) : value]);
    facts.push({ key: `why.rate.${schedule.name}`, params: { ...Object.fromEntries(constants), step, base: plain(base), rate: `$${names.lr}$` }, value: term("lr")! });
  }
  const decayed = term("decayed_lr");
  if (decayed !== null) facts.push({ key: "why.rate.decayed", params: { rate: `$${names.decayed_lr}$`, base: plain(term("lr")!), decay: plain(term("lr_decay")!), steps: (term("step") ?? step) - 1 }, value: decayed });
  return facts;
}
