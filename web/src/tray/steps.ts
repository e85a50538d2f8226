/** Every element's step beside its gradient: whether a big gradient is a big step, and what moves where there is no gradient. */
import type { Film } from "../model/film";
import { norm, type GridParameter } from "../model/network";
import type { Decades } from "./histogram";

export interface Step {
  parameter: GridParameter;
  index: number[];
  /** What the optimizer saw: the clipped gradient, where there is clipping. */
  gradient: number;
  /** Of AdamW the adaptive step, without the decay; of others the whole step. */
  step: number;
  /** Decoupled decay; 0 where the rule has none. */
  decay: number;
}

export interface Steps {
  all: Step[];
  /** Magnitudes of the gradients that are not 0, and of the steps of the same elements. */
  gradients: { low: number; high: number } | null;
  steps: { low: number; high: number } | null;
  /** Elements without any gradient now. */
  without: Step[];
  /** Of those, the ones that no momentum moves either: decay alone does. */
  decayOnly: Step[];
}

/** The terms of the update, element by element; null for a film without one. */
export function stepsOf(film: Film, parameters: readonly GridParameter[]): Steps | null {
  const all: Step[] = [];
  for (const parameter of parameters) {
    const terms = film.update(parameter.node)?.terms;
    if (!terms) continue;
    const gradient = terms.get("clipped") ?? terms.get("gradient")!;
    const step = terms.get("adaptive_step") ?? terms.get("delta")!;
    const decay = terms.get("adaptive_step") ? terms.get("decay") : undefined;
    for (let i = 0; i < gradient.size; i++) {
      all.push({ parameter, index: gradient.unravel(i), gradient: gradient.flat(i), step: step.flat(i), decay: decay?.flat(i) ?? 0 });
    }
  }
  if (all.length === 0) return null;
  const moved = all.filter(({ gradient, step }) => gradient !== 0 && Number.isFinite(gradient) && Number.isFinite(step));
  const without = all.filter(({ gradient }) => gradient === 0);
  return {
    all,
    gradients: range(moved.map(({ gradient }) => gradient)),
    steps: range(moved.map(({ step }) => step).filter((step) => step !== 0)),
    without,
    decayOnly: without.filter(({ step, decay }) => step === 0 && decay !== 0),
  };
}

function range(numbers: readonly number[]): { low: number; high: number } | null {
  if (numbers.length === 0) return null;
  return numbers.reduce((all, x) => ({ low: Math.min(all.low, Math.abs(x)), high: Math.max(all.high, Math.abs(x)) }), { low: Infinity, high: 0 });
}

/** The learning rate that the update was done with; 0 for a film without one. */
export function rateOf(film: Film, parameters: readonly GridParameter[]): number {
  const terms = parameters.map(({ node }) => film.update(node)?.terms).find((found) => found !== undefined);
  return (terms?.get("decayed_lr") ?? terms?.get("lr"))?.flat(0) ?? 0;
}

/** ‖new - old‖ / ‖old‖ of a parameter from its update on; null before it, and where all old values are 0. */
export function updateRatio(film: Film, parameter: number, moment: number): number | null {
  const update = film.update(parameter);
  if (!update || update.event >= moment) return null;
  const old = norm(update.terms.get("old")!.data);
  return old === 0 ? null : norm(update.terms.get("delta")!.data) / old;
}

/** Where an element stands in a plot of steps over gradients, both logarithmic; exact zeros at the left and at the foot, `apart` pixels wide. Null: not finite. */
export function placer(x: Decades, y: Decades, width: number, height: number, apart: number): (one: Pick<Step, "gradient" | "step">) => { x: number; y: number } | null {
  const along = (value: number, { low, high }: Decades, length: number): number => ((Math.log10(Math.abs(value)) - low) / (high - low)) * length;
  return ({ gradient, step }) => {
    if (!Number.isFinite(gradient) || !Number.isFinite(step)) return null;
    return {
      x: gradient === 0 ? apart / 2 : apart + Math.max(0, along(gradient, x, width - apart)),
      y: step === 0 ? height - apart / 2 : height - apart - Math.max(0, along(step, y, height - apart)),
    };
  };
}
