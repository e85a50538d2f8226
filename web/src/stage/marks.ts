/** The two marks: what is just done (solid ring) and what comes next (dashed ring). */
import type { Beat } from "../model/stops";

export interface Marks {
  done: Beat | null;
  next: Beat | null;
}

/** The beats of event m-1 and of event m; the same one while a beat is being stepped through. */
export function marksAt(beats: readonly Beat[], moment: number): Marks {
  return {
    done: beats.find((beat) => beat.from < moment && moment <= beat.to) ?? null,
    next: beats.find((beat) => beat.from <= moment && moment < beat.to) ?? null,
  };
}

/** The step whose card a beat rings; null where it happens elsewhere. */
export const cardOf = (beat: Beat | null): number | null => (beat?.what === "step" ? beat.time : null);

/** Whether a beat happens where the loss stands: the read-out and the loss itself. */
export const atLoss = (beat: Beat | null): boolean => beat?.what === "head" || beat?.what === "loss";

/** The column in which the beat just done has happened; null where it happened in none (clipping, updates). */
export function stepInView(beats: readonly Beat[], moment: number, columns: number): number | null {
  const { done } = marksAt(beats, moment);
  if (!done) return 1;
  if (done.time !== null) return Math.min(done.time, columns);
  return atLoss(done) || done.what === "zero" ? columns : null;
}
