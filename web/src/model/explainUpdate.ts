// Why a parameter's new value: the optimizer's terms as a ladder, and the distance it moved.

import { blank, type Context, type Explanation, type LadderStep, type Target } from "./explanation";
import { decimals, four, six } from "./format";
import type { Tensor } from "./trace";

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

const ADAMW: Rung[] = [
  ...CLIPPED,
  { term: "exp_avg", symbol: own("exp_avg"), tone: "plain" },
  { term: "exp_avg_sq", symbol: (n) => `\\sqrt{${n.exp_avg_sq}}`, tone: "plain", root: true },
  { term: "exp_avg_hat", symbol: own("exp_avg_hat"), tone: "plain" },
  { term: "exp_avg_sq_hat", symbol: (n) => `\\sqrt{${n.exp_avg_sq_hat}}`, tone: "plain", root: true },
  { term: "adaptive_step", symbol: (n) => `-${n.lr}\\,${n.exp_avg_hat}\\,/\\,(\\sqrt{${n.exp_avg_sq_hat}} + ${n.eps})`, tone: "update", strong: true },
  { term: "decay", symbol: (n) => `-${n.lr}\\,${n.weight_decay}\\,${n.old}`, tone: "update", strong: true },
  { term: "new", symbol: () => "", tone: "update", strong: true },
];

const SGD: Rung[] = [
  ...CLIPPED,
  { term: "decayed", symbol: (n, term) => `${n.decayed} = ${slope(n, term)} + ${n.weight_decay}\\,${n.old}`, tone: "plain" },
  { term: "momentum_buffer_prev", symbol: own("momentum_buffer_prev"), tone: "plain" },
  { term: "momentum_buffer", symbol: own("momentum_buffer"), tone: "plain" },
  { term: "delta", symbol: (n, term) => `-${n.lr}\\,${direction(n, term)}`, tone: "update", strong: true },
  { term: "new", symbol: () => "", tone: "update", strong: true },
];

/** Clipping that left the gradient as it was is no step of its own. */
const isClipped = (term: Term): boolean => (term("coefficient") ?? 1) !== 1;
/** What the rule takes for the gradient. */
const slope = (names: Names, term: Term): string => (isClipped(term) ? names.clipped! : names.gradient!);
/** What SGD multiplies with the learning rate. */
const direction = (names: Names, term: Term): string =>
  term("momentum_buffer") !== null ? names.momentum_buffer! : term("decayed") !== null ? names.decayed! : slope(names, term);

const OPTIMIZERS: Record<string, string> = { adamw: "AdamW", sgd: "SGD" };

/** The terms of an optimizer's rule that say how a step comes about. */
export function explainUpdate(context: Context, target: Target): Explanation {
  const { film, trace, m } = context;
  const { program } = trace;
  const optimizer = program.kind === "network" ? program.optimizer.name : Object.keys(trace.rules)[0] ?? "sgd";
  const e = blank(context, target, "update", "why.kind.update");
  const update = film.update(target.node);
  const term = update ? elementOf(update.terms, target.index) : () => null;
  e.kind.params = { optimizer: OPTIMIZERS[optimizer] ?? optimizer, step: term("step") ?? (program.kind === "network" ? program.step : 1) };
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
  const names = trace.rules[optimizer]!.symbols;
  e.ladder = ladder(adam ? ADAMW : SGD, names, term);
  const step = term(adam ? "adaptive_step" : "delta")!;
  const decay = adam ? term("decay")! : 0;
  e.move = { old: e.before, new: fresh, step, decay, gradient };
  e.symbols = adam
    ? `${names.new} = ${names.old} - ${names.lr}\\,\\frac{${names.exp_avg_hat}}{\\sqrt{${names.exp_avg_sq_hat}} + ${names.eps}} - ${names.lr}\\,${names.weight_decay}\\,${names.old}`
    : `${names.new} = ${names.old} - ${names.lr}\\,${direction(names, term)}`;
  if (update.event >= m) { // the optimizer is at work, on other parameters first
    e.sentence = { key: "why.say.update_soon", params: { old: six(e.before, false) } };
    return e;
  }
  e.value = fresh;
  e.state = "known";
  e.numbers = `$${e.title}$: ${four(e.before)} \u2192 ${four(fresh)}`;
  e.sentence = sentence(adam, gradient, step, decay, term("lr") ?? NaN, term("momentum") !== null);
  return e;
}

function elementOf(terms: Map<string, Tensor>, index: readonly number[]): Term {
  return (name) => {
    const tensor = terms.get(name);
    if (!tensor) return null;
    return tensor.shape.length === 0 ? tensor.flat(0) : tensor.at(index);
  };
}

function ladder(rungs: readonly Rung[], names: Names, term: Term): LadderStep[] {
  return rungs.flatMap((rung) => {
    const value = term(rung.term);
    if (value === null || (rung.term === "clipped" && !isClipped(term))) return [];
    return [{ name: { key: `why.rung.${rung.term}` }, symbol: rung.symbol(names, term), value: rung.root ? Math.sqrt(value) : value, strong: rung.strong ?? false, tone: rung.tone }];
  });
}

function sentence(adam: boolean, gradient: number, step: number, decay: number, lr: number, momentum: boolean): Explanation["sentence"] {
  const ratio = decimals(Math.abs(step) / lr, 2, false);
  if (gradient === 0) {
    const still = step + decay === 0;
    return { key: still ? "why.say.update_still" : step === 0 ? "why.say.update_decay" : "why.say.update_momentum", params: { ratio } };
  }
  const downhill = gradient < 0 ? "up" : "down";
  const against = Math.sign(step) === Math.sign(gradient) && step !== 0;
  if (against) return { key: "why.say.update_against", params: { ratio } };
  return { key: adam ? `why.say.adamw_${downhill}` : momentum ? `why.say.momentum_${downhill}` : `why.say.sgd_${downhill}`, params: { ratio } };
}
