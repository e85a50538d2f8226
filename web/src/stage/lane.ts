/** What a gradient lane shows: a bar, words where the bar would be under a pixel, an exact "0", or a hatch for what is no number. */
import { power } from "../model/format";

export type LaneMark =
  | { kind: "empty" }
  | { kind: "zero" }
  | { kind: "words"; text: string; side: "left" | "right" | "middle" }
  | { kind: "hatch" }
  | { kind: "bar"; from: number; width: number };

const DIGIT = 5.2; // width of a character of the words

/** `half` pixels stand for `max`; the bar goes from the middle (0) to the side of its sign, and ends at the edge at the latest. */
export function laneMark(value: number | null, max: number, half: number): LaneMark {
  if (value === null) return { kind: "empty" };
  if (!Number.isFinite(value)) return { kind: "hatch" };
  if (value === 0) return { kind: "zero" };
  const length = Math.min(half, (Math.abs(value) / max) * half);
  if (length < 1) {
    const text = power(value);
    return { kind: "words", text, side: text.length * DIGIT > half + 2 ? "middle" : value < 0 ? "left" : "right" }; // without room on its side: in the middle, in place of the tick
  }
  return { kind: "bar", from: value < 0 ? -length : 0, width: length };
}
