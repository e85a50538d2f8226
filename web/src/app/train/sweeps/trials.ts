/** The trials of a search: in order, in time, and how far it is. */
import type { Sweep, Trial } from "../../../api/sweeps";

export interface Order {
  /** "number", "state", "value", or the name of a setting. */
  by: string;
  descending: boolean;
}

type Value = string | number | boolean | null;

export function field(trial: Trial, by: string): Value {
  if (by === "number") return trial.number;
  if (by === "state") return trial.state;
  if (by === "value") return trial.value;
  return trial.params[by] ?? null;
}

/** Numbers by size, words by the alphabet; what is not known comes last in either direction, equals in the order in which they were tried. */
export function ordered(trials: readonly Trial[], { by, descending }: Order): Trial[] {
  const sign = descending ? -1 : 1;
  return [...trials].sort((one, other) => {
    const [a, b] = [field(one, by), field(other, by)];
    if (a === null || b === null) return a === b ? one.number - other.number : a === null ? 1 : -1;
    const difference = typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
    return difference === 0 ? one.number - other.number : sign * difference;
  });
}

/** The order in which the best trial comes first. */
export const bestFirst = (sweep: Pick<Sweep, "direction">): Order => ({ by: "value", descending: sweep.direction === "maximize" });

/** 0 for the worst score of all, 1 for the best; null for a trial without one. */
export function merit(trial: Trial, trials: readonly Trial[], direction: Sweep["direction"]): number | null {
  if (trial.value === null || !Number.isFinite(trial.value)) return null;
  const values = trials.flatMap((one) => (one.value !== null && Number.isFinite(one.value) ? [one.value] : []));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) return 1;
  const share = (trial.value - low) / (high - low);
  return direction === "maximize" ? share : 1 - share;
}

export interface Progress {
  done: number;
  trials: number;
  /** 0..1 of whichever budget is used up more. */
  share: number;
  /** Seconds until the search ends at its pace, at the latest when its time is over; null before there is a pace. */
  left: number | null;
}

/** How far a search is at `now`, in ms since 1970. */
export function progress(sweep: Pick<Sweep, "trials" | "budget" | "created">, now: number): Progress {
  const { trials, seconds } = sweep.budget;
  const done = sweep.trials.filter((trial) => trial.state !== "running").length;
  const gone = Math.max(0, (now - Date.parse(sweep.created)) / 1000);
  const byTrials = done > 0 ? (gone / done) * (trials - done) : null;
  const byTime = seconds === null ? null : Math.max(0, seconds - gone);
  const known = [byTrials, byTime].filter((one): one is number => one !== null);
  return { done, trials, share: Math.min(1, Math.max(done / trials, seconds === null ? 0 : gone / seconds)), left: known.length === 0 ? null : Math.min(...known) };
}

/** A setting whose best value lies at an end of what was searched: beyond it there may be better ones. */
export interface Edge {
  name: string;
  value: number;
  /** The end. */
  end: number;
  upper: boolean;
}

const FEWEST = 4; // trials before which the best one's place means nothing
const NEAR = 0.05; // of a range

/** The edges at which the best trial lies. limits: what a setting can be at all; an end that is one of these is none. */
export function edges(sweep: Pick<Sweep, "best" | "space" | "trials">, limits: (name: string) => { min?: number; max?: number }): Edge[] {
  const { best } = sweep;
  if (!best || sweep.trials.filter((trial) => trial.state !== "running").length < FEWEST) return [];
  return Object.entries(sweep.space).flatMap(([name, one]): Edge[] => {
    const value = best.params[name];
    if (name === "seed" || typeof value !== "number") return [];
    const numbers = "choices" in one ? one.choices.filter((choice) => typeof choice === "number") : [one.low, one.high];
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    if (low === high) return [];
    const scale = (x: number): number => (!("choices" in one) && one.log ? Math.log(x) : x);
    const share = (scale(value) - scale(low)) / (scale(high) - scale(low));
    const near = "choices" in one ? 0 : NEAR;
    const { min, max } = limits(name);
    if (share <= near && low !== min) return [{ name, value, end: low, upper: false }];
    return share >= 1 - near && high !== max ? [{ name, value, end: high, upper: true }] : [];
  });
}

/** The middle score of the trials that went to their end; null of fewer than three. */
export function median(trials: readonly Trial[]): number | null {
  const values = trials.flatMap((trial) => (trial.state === "complete" && trial.value !== null && Number.isFinite(trial.value) ? [trial.value] : [])).sort((a, b) => a - b);
  if (values.length < 3) return null;
  const half = values.length >> 1;
  return values.length % 2 ? values[half]! : (values[half - 1]! + values[half]!) / 2;
}
