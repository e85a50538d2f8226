/** What the curves of a run say of it so far, in words that hold; null: too little is known. */
import type { Validation } from "../../api/types";
import { short } from "./chart/scale";
import { figure, judged, type Metric } from "./describe";

const RISE = 1.05; // by less a validation loss may rise by chance
const FALL = 0.98;

export interface Verdict {
  key: string;
  params: Record<string, string | number>;
}

/** `smoothed`: the training loss of step k at k - 1. `baseline`: what is reached without learning, where that is known. */
export function verdict(validations: readonly Validation[], smoothed: ArrayLike<number>, baseline: { metric: "accuracy" | "rmse" | "perplexity"; value: number } | null): Verdict | null {
  const last = validations.at(-1);
  const score = last && judged(last);
  if (!last || !score) return null;
  const least = validations.reduce((one, other) => (other.loss < one.loss ? other : one));
  const [then, now] = [smoothed[least.step - 1] ?? NaN, smoothed[last.step - 1] ?? NaN];
  if (last.loss > RISE * least.loss && now < FALL * then) {
    return { key: "train.verdict.overfits", params: { step: least.step, least: short(least.loss), now: short(last.loss) } };
  }
  const reached = baseline === null ? null : last[baseline.metric];
  if (baseline === null || typeof reached !== "number") return null;
  const params = { value: figure(baseline.metric, reached), baseline: figure(baseline.metric, baseline.value) };
  if (baseline.metric === "accuracy" && baseline.value === 0) return { key: "train.verdict.no_baseline", params };
  return { key: better(baseline.metric, reached, baseline.value) ? "train.verdict.better" : "train.verdict.no_better", params };
}

const better = (metric: Metric, value: number, than: number): boolean => (metric === "accuracy" ? value > than : value < than);
