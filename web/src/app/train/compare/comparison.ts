/** Runs side by side: what differs between them, their curves on common axes, their scores, and how far back their gradients reach. */
import type { GradientNorms } from "../../../api/observations";
import type { Run, Validation } from "../../../api/types";
import type { Point } from "../chart/series";

/** How many runs are compared at most. */
export const MOST = 6;

export type Setting = string | number | boolean | null;
export type Metric = "accuracy" | "perplexity" | "rmse" | "loss";
export type Compared = Pick<Run, "id" | "program" | "step" | "status" | "history" | "validation" | "best" | "tested" | "edits" | "stop" | "seconds">;

/** What a program leaves out is this. */
const DEFAULTS: Record<string, Setting> = {
  layers: 1, bidirectional: false, truncation: null, dropout: 0, schedule: null, initialisation: "pytorch", forget_bias: null, length: null,
  "optimizer.weight_decay": 0, "optimizer.momentum": 0, "optimizer.nesterov": false, "optimizer.amsgrad": false, "optimizer.centered": false,
};
const LEFT_OUT = ["data", "edits"]; // the version of a task's examples is its own matter; edits are told in a row of their own

/** Every setting by its path: {optimizer: {lr}} is "optimizer.lr". A list is one setting, as text. */
export function flattened(program: object, prefix = ""): Record<string, Setting> {
  const found: Record<string, Setting> = {};
  for (const [name, value] of Object.entries(program)) {
    const path = prefix + name;
    if (LEFT_OUT.includes(path)) continue;
    if (Array.isArray(value)) found[path] = value.join(", ");
    else if (typeof value === "object" && value !== null) Object.assign(found, flattened(value as object, `${path}.`));
    else found[path] = (value as Setting | undefined) ?? null;
  }
  return found;
}

/** The settings in which the runs are not all alike, a value a run. null: there is none, or it does not apply. */
export function differing(runs: readonly Pick<Compared, "program" | "edits" | "stop">[]): { key: string; values: Setting[] }[] {
  const all = runs.map((run) => ({
    ...flattened(run.program),
    ...flattened({ stop: run.stop }),
    edits: run.edits.map((edit) => `${edit.step}: ${edit.lr}`).join(", ") || null,
  }));
  const keys = [...new Set(all.flatMap((settings) => Object.keys(settings)))];
  return keys
    .map((key) => ({ key, values: all.map((settings): Setting => (settings as Record<string, Setting>)[key] ?? DEFAULTS[key] ?? null) }))
    .filter(({ key, values }) => new Set(values).size > 1 && !(key === "schedule" && values.every((value) => value === null)));
}

/** Steps that are averaged into one point, the same for all runs, so that no curve has more than `most` points. */
export function smoothing(lengths: readonly number[], most = 64): number {
  return Math.max(1, Math.ceil(Math.max(0, ...lengths) / most));
}

/** The mean of every `width` steps, at their middle; a gap where none of them is finite. */
export function smoothed(losses: readonly number[], width: number): Point[] {
  const points: Point[] = [];
  for (let from = 0; from < losses.length; from += width) {
    const finite = losses.slice(from, from + width).filter(Number.isFinite);
    const to = Math.min(losses.length, from + width);
    points.push({ x: (from + 1 + to) / 2, y: finite.length === 0 ? null : finite.reduce((sum, loss) => sum + loss, 0) / finite.length });
  }
  return points;
}

function figure(validation: Validation, metric: Metric): number | null {
  const value = validation[metric];
  return typeof value === "number" ? value : null;
}

/** The metric by which all of the runs are judged, or their loss where they are judged by different ones. */
export function commonMetric(runs: readonly Pick<Compared, "validation">[]): Metric {
  const known = runs.flatMap((run) => run.validation.slice(-1));
  return (["perplexity", "accuracy", "rmse"] as const).find((metric) => known.length > 0 && known.every((validation) => figure(validation, metric) !== null)) ?? "loss";
}

export function validationPoints(run: Pick<Compared, "validation">, metric: Metric): Point[] {
  return run.validation.map((validation) => {
    const y = figure(validation, metric);
    return { x: validation.step, y: y !== null && Number.isFinite(y) ? y : null };
  });
}

export const better = (metric: Metric, one: number, other: number): boolean => (metric === "accuracy" ? one > other : one < other);

export interface Score {
  last: { step: number; value: number } | null;
  best: { step: number; value: number } | null;
}

/** What a run reached on the validation part, at the end and at best. */
export function scored(run: Pick<Compared, "validation">, metric: Metric): Score {
  let best: Score["best"] = null;
  let last: Score["last"] = null;
  for (const validation of run.validation) {
    const value = figure(validation, metric);
    if (value === null) continue;
    last = { step: validation.step, value };
    if (Number.isFinite(value) && (best === null || better(metric, value, best.value))) best = last;
  }
  return { last, best };
}

/** Which of the numbers are the best ones; none where there are not two to choose from. */
export function leaders(values: readonly (number | null)[], metric: Metric): Set<number> {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length < 2) return new Set();
  const top = known.reduce((one, other) => (better(metric, other, one) ? other : one));
  return new Set(values.flatMap((value, i) => (value === top ? [i] : [])));
}

/** The last observation up to a step, else the first there is. */
export function observedAt(observations: readonly GradientNorms[], step: number): GradientNorms | null {
  return observations.findLast((observation) => observation.step <= step) ?? observations[0] ?? null;
}

/** Steps at which any of the runs was observed, in order. */
export function observedSteps(runs: readonly (readonly GradientNorms[])[]): number[] {
  return [...new Set(runs.flatMap((observations) => observations.map((observation) => observation.step)))].sort((one, other) => one - other);
}

/** How much of the gradient at the last step in time is left at the first; null where that is no question. */
export function left(norms: readonly number[]): number | null {
  const share = (norms[0] ?? NaN) / (norms.at(-1) ?? NaN);
  return norms.length > 1 && Number.isFinite(share) ? share : null;
}

/** Whether runs have networks of one shape on one task, so that they are points of one landscape. */
export function sameShape(runs: readonly Pick<Compared, "program">[]): boolean {
  const shape = ({ program }: Pick<Compared, "program">): string =>
    JSON.stringify(["task", "cell", "hidden_size", "layers", "bidirectional", "length", "dataset"].map((name) => (program as Record<string, unknown>)[name] ?? DEFAULTS[name] ?? null));
  return new Set(runs.map(shape)).size <= 1;
}
