/** ||dL/dh_t|| (and c) of one film over its steps, and what is left of it at the first one. */
import type { Film } from "../model/film";
import { decimals, power } from "../model/format";
import { gradientNorm, gradientSlice, norm, type NetworkGrid } from "../model/network";
import type { Numbers } from "../model/trace";

export type State = "h" | "c";
/** A positive number, short: two or three decimals, or two digits and a power of ten. */
export const small = (value: number): string => (value < 0.01 ? power(value, 1, false) : decimals(value, value < 0.1 ? 3 : 2, false));
/** What a lane's height stands for: the share of the last step's norm, or the norm itself. */
export type Measure = "share" | "absolute";

export interface Series {
  state: State;
  /** The complete norms; entry t-1 is step t's. */
  norms: number[];
  /** What the norms are divided by to be a share: that of the last step, h's for h and c's for c. */
  last: number;
}

export function seriesOf(film: Film, grid: NetworkGrid, example: number, steps: number): Series[] {
  const states: State[] = grid.cell === "lstm" ? ["h", "c"] : ["h"];
  return states.map((state) => {
    const norms = Array.from({ length: steps }, (_, i) => gradientNorm(film, grid, i + 1, example, film.length, state) ?? 0);
    return { state, norms, last: norms.at(-1) ?? 0 };
  });
}

export function measured(series: Series, norm: number, measure: Measure): number {
  return measure === "absolute" ? norm : series.last === 0 ? 0 : norm / series.last;
}

/** ||dL/dh_1|| / ||dL/dh_T||; null where there is nothing to compare. */
export function ratioOf(series: Series): number | null {
  return series.norms.length > 1 && series.last > 0 ? series.norms[0]! / series.last : null;
}

/** The factor that one step back multiplies by, on average (geometric). */
export function meanHop(series: Series): number | null {
  const ratio = ratioOf(series);
  return ratio === null ? null : hopOf(ratio, series.norms.length);
}

/** The factor whose power over all hops between so many steps is `ratio`. */
export const hopOf = (ratio: number, steps: number): number => ratio ** (1 / (steps - 1));

/** What a hop's factor is made of, on average (geometric) over all hops: what gets through the slope, and what a matrix makes of that. */
export interface Halves {
  slope: number;
  matrix: number;
}

/** Null for all but an RNN with one read-out: elsewhere there is more than one way back. */
export function halvesOf(film: Film, grid: NetworkGrid, example: number, series: Series): Halves | null {
  const hop = meanHop(series);
  if (grid.cell !== "rnn" || grid.readout === "every" || !grid.top || hop === null) return null;
  let logs = 0;
  for (let step = 2; step <= series.norms.length; step++) {
    const a = grid.column(step)!.a;
    const delta = a === null ? null : film.trace.gradient(a);
    if (!delta) return null;
    logs += Math.log(norm(gradientSlice(delta, example)) / series.norms[step - 1]!);
  }
  const slope = Math.exp(logs / (series.norms.length - 1));
  return Number.isFinite(slope) && slope > 0 ? { slope, matrix: hop / slope } : null;
}

/** The largest difference of two states of one length; null where they cannot be compared element by element. */
export function largestDifference(one: Numbers | null, other: Numbers | null): number | null {
  if (!one || !other || one.length !== other.length) return null;
  let largest = 0;
  for (let i = 0; i < one.length; i++) largest = Math.max(largest, Math.abs(one[i]! - other[i]!));
  return largest;
}

/** The place of the greatest magnitude. */
export function strongest(row: Numbers): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (Math.abs(row[i]!) > Math.abs(row[best]!)) best = i;
  return best;
}
