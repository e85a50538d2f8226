/** What a gradient lane shows: a bar, words where the bar would be under a pixel, an exact "0", or a hatch for what is no number. Where there is no room for words, a dot on the side of the sign, and a ring for 0. */
import { power } from "../model/format";
import { hatchPath } from "./hatch";

export type LaneMark =
  | { kind: "empty" }
  | { kind: "zero" }
  | { kind: "words"; text: string; short: string; sign: 1 | -1 }
  | { kind: "hatch" }
  | { kind: "bar"; from: number; width: number };

const DIGIT = 5.2; // width of a character of the words
const HIGH = 9; // px from which on a lane has room for words

/** `half` pixels stand for `max`; the bar goes from the middle (0) to the side of its sign, and ends at the edge at the latest. */
export function laneMark(value: number | null, max: number, half: number): LaneMark {
  if (value === null) return { kind: "empty" };
  if (!Number.isFinite(value)) return { kind: "hatch" };
  if (value === 0) return { kind: "zero" };
  const length = Math.min(half, (Math.abs(value) / max) * half);
  if (length < 1) {
    const text = power(value);
    return { kind: "words", text, short: text.replace(/\d+\u00b7/, "\u00b7"), sign: value < 0 ? -1 : 1 };
  }
  return { kind: "bar", from: value < 0 ? -length : 0, width: length };
}

/** The words of a mark as a lane of this size has room for them: on their side, or in the middle in place of the tick. Null: none; a dot or a ring says it, or nothing is to be said. */
export function laneWords(mark: LaneMark, width: number, height: number): { text: string; side: "left" | "right" | "middle" } | null {
  if (height < HIGH) return null;
  if (mark.kind === "zero") return { text: "0", side: "right" };
  if (mark.kind !== "words") return null;
  const text = [mark.text, mark.short].find((words) => words.length * DIGIT <= width);
  if (text === undefined) return null;
  return { text, side: text.length * DIGIT > width / 2 - 1 ? "middle" : mark.sign < 0 ? "left" : "right" };
}

/** Without words: the dot that stands beside the tick, and the ring on it, in px. */
export const dotOf = (height: number): { away: number; radius: number } => ({ away: Math.max(2.5, Math.min(4, height * 0.6)), radius: Math.max(0.7, Math.min(1.5, height * 0.28)) });
export const ringOf = (height: number): number => Math.max(0.9, Math.min(2.5, height * 0.36));

const circle = (x: number, y: number, r: number): string => `M${short(x - r)} ${short(y)}a${short(r)} ${short(r)} 0 1 0 ${short(2 * r)} 0a${short(r)} ${short(r)} 0 1 0 ${short(-2 * r)} 0z`;
const short = (value: number): number => Math.round(value * 100) / 100;

/** Marks without words, as paths: `filled` bars and dots, `rings` for exact zeros, `hatches` for what is no number. */
export interface MarkPaths {
  filled: string;
  rings: string;
  hatches: string;
}

export const NO_MARKS: MarkPaths = { filled: "", rings: "", hatches: "" };

/** The mark of `value` in a lane of `height` px whose tick stands at `x` and whose middle is at `y`. */
export function markPaths(value: number | null, max: number, half: number, x: number, y: number, height: number): MarkPaths {
  const mark = laneMark(value, max, half);
  const thick = height * 0.6;
  if (mark.kind === "bar") return { ...NO_MARKS, filled: `M${short(x + mark.from)} ${short(y - thick / 2)}h${short(mark.width)}v${short(thick)}h${short(-mark.width)}z` };
  if (mark.kind === "words") return { ...NO_MARKS, filled: circle(x + mark.sign * dotOf(height).away, y, dotOf(height).radius) };
  if (mark.kind === "zero") return { ...NO_MARKS, rings: circle(x, y, ringOf(height)) };
  if (mark.kind === "hatch") return { ...NO_MARKS, hatches: hatchPath(x - half, y - thick / 2, 2 * half, thick, Math.max(2.5, Math.min(5, height * 0.7))) };
  return NO_MARKS;
}

/** Several as one. */
export function together(list: Iterable<MarkPaths>): MarkPaths {
  const all = { ...NO_MARKS };
  for (const { filled, rings, hatches } of list) {
    all.filled += filled;
    all.rings += rings;
    all.hatches += hatches;
  }
  return all;
}
