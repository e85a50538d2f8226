/** Norms for every pair of steps: of what the loss of step t sends to the state of step s, or of the Jacobian between the two. */
import type { Bptt } from "../api/types";
import type { NetworkGrid } from "../model/network";

export type Of = "loss" | "jacobian";

export interface Pairs {
  of: Of;
  count: number;
  /** The time step of each place, in the order in which the cell runs: backwards in the reverse direction. Rows and columns count places from 1. */
  times: readonly number[];
  /** Rows t from 1; in each, columns s up to t. */
  norms: readonly (readonly number[])[];
  /** The largest finite one; 0 where there is none. */
  largest: number;
  /** The smallest above 0; null where there is none. */
  smallest: number | null;
}

/** `which`: of an LSTM the state h or c that the losses reach; Jacobians are of both together. */
export function pairsOf(answer: Bptt, of: Of, which: string): Pairs {
  const norms = of === "loss" ? (answer.loss_norms[which] ?? []) : (answer.jacobian_norms ?? []);
  let [largest, smallest]: [number, number | null] = [0, null];
  norms.forEach((row, t) => {
    row.slice(0, t + 1).forEach((norm) => {
      if (!Number.isFinite(norm)) return;
      largest = Math.max(largest, norm);
      if (norm > 0) smallest = smallest === null ? norm : Math.min(smallest, norm);
    });
  });
  return { of, count: norms.length, times: answer.times, norms, largest, smallest };
}

/** The entry of places t and s; null where s comes after t. */
export function entry({ norms }: Pairs, t: number, s: number): number | null {
  return s > t ? null : (norms[t - 1]?.[s - 1] ?? null);
}

/** What entry (t, s) is the product of: the norm at t itself, then by what each step back multiplies it. Null where a norm on the way is 0 or not finite. */
export function factors(pairs: Pairs, t: number, s: number): number[] | null {
  const norms = Array.from({ length: Math.max(0, t - s + 1) }, (_, k) => entry(pairs, t, t - k));
  if (norms.length === 0 || norms.slice(0, -1).some((norm) => norm === null || norm === 0 || !Number.isFinite(norm))) return null;
  return norms.map((norm, k) => (k === 0 ? norm! : norm! / norms[k - 1]!));
}

/** The scope of the recurrence that is shown, as traces name it. */
export function scopeOf({ cell, shown }: Pick<NetworkGrid, "cell" | "shown">): string {
  return shown.suffix === "l0" ? cell : `${cell}/${shown.suffix}`;
}

/** Time steps whose state the loss reads: rows in which anything stands. */
export function lossSteps(answer: Bptt): number[] {
  const rows = answer.loss_norms.h ?? [];
  return rows.flatMap((row, place) => (row.some((norm) => norm !== 0) ? [answer.times[place]!] : []));
}

/** How strong an entry is drawn, 0 to 1: on the linear scale of all entries, or by its place among their powers of ten. */
export function strength({ largest, smallest }: Pick<Pairs, "largest" | "smallest">, norm: number, log: boolean, decades = 12): number {
  if (!(norm > 0) || largest === 0 || smallest === null) return 0;
  if (!log) return Math.min(1, norm / largest);
  const high = Math.log10(largest);
  const low = Math.max(Math.log10(smallest), high - decades);
  // the weakest is still seen: exact zeros alone are blank
  return high === low ? 1 : 0.08 + 0.92 * Math.max(0, (Math.log10(norm) - low) / (high - low));
}

export interface Cursor {
  t: number;
  s: number;
}

/** The cursor after a key, inside of the triangle s <= t <= count; null for a key that does not move it. */
export function moved({ t, s }: Cursor, key: string, count: number): Cursor | null {
  const clamp = (x: number, low: number, high: number): number => Math.max(low, Math.min(high, x));
  switch (key) {
    case "ArrowLeft": return { t, s: clamp(s - 1, 1, t) };
    case "ArrowRight": return { t, s: clamp(s + 1, 1, t) };
    case "ArrowUp": return { t: clamp(t - 1, 1, count), s: Math.min(s, clamp(t - 1, 1, count)) };
    case "ArrowDown": return { t: clamp(t + 1, 1, count), s };
    case "Home": return { t, s: 1 };
    case "End": return { t, s: t };
    case "PageUp": return { t: clamp(t - 10, 1, count), s: Math.min(s, clamp(t - 10, 1, count)) };
    case "PageDown": return { t: clamp(t + 10, 1, count), s };
    default: return null;
  }
}
