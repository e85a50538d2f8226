// Why a parameter's new value: the optimizer's terms as a ladder, and the distance it moved.

import { blank, type Context, type Explanation, type LadderStep, type Target } from "./explanation";
import { decimals, four, six } from "./format";
import type { Tensor } from "./trace";

/** One step of a ladder: which term, under which name and symbol, of which kind; `root` shows the square root of the term. */
interface Rung {
  term: string;
  symbol: string;
  tone: LadderStep["tone"];
  strong?: boolean;
  root?: boolean;
}

const ADAMW: Rung[] = [
  { term: "gradient", symbol: "g", tone: "gradient" },
  { term: "clipped", symbol: "", tone: "gradient" },
  { term: "exp_avg", symbol: "m", tone: "plain" },
  { term: "exp_avg_sq", symbol: "\\sqrt{v}", tone: "plain", root: true },
  { term: "exp_avg_hat", symbol: "\\hat{m}", tone: "plain" },
  { term: "exp_avg_sq_hat", symbol: "\\sqrt{\\hat{v}}", tone: "plain", root: true },
  { term: "adaptive_step", symbol: "-\\eta\\,\\hat{m}\\,/\\,(\\sqrt{\\hat{v}} + \\epsilon)", tone: "update", strong: true },
  { term: "decay", symbol: "-\\eta\\,\\lambda\\,\\theta", tone: "update", strong: true },
  { term: "new", symbol: "", tone: "update", strong: true },
];

const SGD: Rung[] = [
  { term: "gradient", symbol: "g", tone: "gradient" },
  { term: "clipped", symbol: "", tone: "gradient" },
  { term: "decayed", symbol: "g + \\lambda\\,\\theta", tone: "plain" },
  { term: "momentum_buffer_prev", symbol: "u_{k-1}", tone: "plain" },
  { term: "momentum_buffer", symbol: "u", tone: "plain" },
  { term: "delta", symbol: "-\\eta\\,u", tone: "update", strong: true },
  { term: "new", symbol: "", tone: "update", strong: true },
];

/** The terms of an optimizer's rule that say how a step comes about. */
export function explainUpdate(context: Context, target: Target): Explanation {
  const { film, trace, m } = context;
  const { program } = trace;
  const optimizer = program.kind === "network" ? program.optimizer.name : Object.keys(trace.rules)[0] ?? "sgd";
  const e = blank(context, target, "update", "why.kind.update");
  const update = film.update(target.node);
  const names: Record<string, string> = { adamw: "AdamW", sgd: "SGD" };
  const term = update ? elementOf(update.terms, target.index) : () => null;
  e.kind.params = { optimizer: names[optimizer] ?? optimizer, step: term("step") ?? (program.kind === "network" ? program.step : 1) };
  if (!update) {
    e.sentence = { key: "why.say.no_update" };
    return e;
  }
  e.before = term("old")!;
  if (update.event >= m) {
    e.sentence = { key: "why.say.update_pending", params: { old: six(e.before, false) } };
    return e;
  }
  const [gradient, fresh] = [term("gradient")!, term("new")!];
  e.value = fresh;
  e.state = "known";
  const adam = update.terms.has("adaptive_step");
  e.ladder = ladder(adam ? ADAMW : SGD, term);
  const step = term(adam ? "adaptive_step" : "delta")!;
  const decay = adam ? term("decay")! : 0;
  e.move = { old: e.before, new: fresh, step, decay, gradient };
  e.symbols = adam ? "\\theta' = \\theta - \\eta\\,\\frac{\\hat{m}}{\\sqrt{\\hat{v}} + \\epsilon} - \\eta\\,\\lambda\\,\\theta" : `\\theta' = \\theta - \\eta\\,${update.terms.has("momentum_buffer") ? "u" : "g"}`;
  e.numbers = `$${e.title}$: ${four(e.before)} \u2192 ${four(fresh)}`;
  e.sentence = sentence(adam, gradient, step, decay, term("lr") ?? NaN, term("momentum") !== null);
  return e;
}

function elementOf(terms: Map<string, Tensor>, index: readonly number[]): (name: string) => number | null {
  return (name) => {
    const tensor = terms.get(name);
    if (!tensor) return null;
    return tensor.shape.length === 0 ? tensor.flat(0) : tensor.at(index);
  };
}

function ladder(rungs: readonly Rung[], term: (name: string) => number | null): LadderStep[] {
  const coefficient = term("coefficient");
  return rungs.flatMap((rung) => {
    const value = term(rung.term);
    if (value === null) return [];
    const bare = rung.term === "delta" && term("momentum_buffer") === null;
    const slope = term("decayed") === null ? "g" : "(g + \\lambda\\,\\theta)";
    const symbol = rung.term === "clipped" ? `g \\times ${decimals(coefficient ?? 1, 3, false)}` : bare ? `-\\eta\\,${slope}` : rung.symbol;
    return [{ name: { key: `why.rung.${rung.term}` }, symbol, value: rung.root ? Math.sqrt(value) : value, strong: rung.strong ?? false, tone: rung.tone }];
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
