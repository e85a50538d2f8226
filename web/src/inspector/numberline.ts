// The number line of an update: old and new value, the arrows between them, ticks at round numbers.

import type { Move } from "../model/explain";
import { decimals } from "../model/format";

export interface Tick {
  x: number;
  label: string | null;
}

export interface Line {
  height: number;
  axis: number;
  old: number;
  fresh: number;
  /** Uphill: where the gradient points; null when it is 0. */
  gradient: { from: number; to: number; y: number; anchor: "start" | "end" } | null;
  step: { from: number; to: number; y: number; label: number } | null;
  /** Drawn `factor` times as long as it is, so that it can be seen. */
  decay: { from: number; to: number; y: number; factor: number; label: number; anchor: "start" | "end" } | null;
  ticks: Tick[];
}

const AXIS = 78;
const LIFT = 22; // what the gradient's arrow is raised by when it points the same way as the step
const GRADIENT = 48;
const VISIBLE = 14; // px: a decay at least as long is drawn as it is
const WANTED = 40;
const FINEST = 1e-12; // a way that is less of the value than this cannot be marked off in steps of its own size

/** The largest of 1, 2, 5 · 10ⁿ up to x. */
function round(x: number): number {
  const unit = 10 ** Math.floor(Math.log10(x));
  return unit * (x / unit >= 5 ? 5 : x / unit >= 2 ? 2 : 1);
}

/** Null: a value is not finite, or the way between them is not, and so has no place on a line. */
export function numberLine(move: Move, width: number, labelWidth = 100): Line | null {
  const { old, new: fresh, gradient, step, decay } = move;
  const way = Math.max(Math.abs(step), Math.abs(fresh - old));
  const drawn = way > Math.abs(old) * FINEST && Number.isFinite(way);
  const span = drawn ? way : Math.max(Math.abs(old) * 0.02, 1e-3);
  const ends = [old, fresh, old + step];
  if (!ends.every(Number.isFinite)) return null;
  const up = step > 0 || (step === 0 && gradient < 0);
  const low = Math.min(...ends) - span * (up ? 0.43 : 0.25);
  const high = Math.max(...ends) + span * (up ? 0.25 : 0.43);
  if (!Number.isFinite(high - low)) return null;
  const x = (v: number): number => ((v - low) / (high - low)) * width;
  const along = gradient !== 0 && Math.sign(gradient) === Math.sign(step);
  const lift = along ? LIFT : 0;
  const axis = AXIS + lift;
  return {
    height: axis + 28,
    axis,
    old: x(old),
    fresh: x(fresh),
    gradient: gradient === 0 || Number.isNaN(gradient) ? null : uphill(x(old), Math.sign(gradient), axis - 24 - lift, width),
    step: step === 0 ? null : { from: x(old), to: x(old + step), y: axis - 24, label: (x(old) + x(old + step)) / 2 },
    decay: decay === 0 ? null : shrink(x(old + step), (decay / (high - low)) * width, axis - 12, labelWidth, width),
    ticks: ticks(low, high, width),
  };
}

function uphill(from: number, sign: number, y: number, width: number): NonNullable<Line["gradient"]> {
  const to = Math.max(2, Math.min(width - 2, from + sign * (GRADIENT + 6)));
  return { from: from + sign * 6, to, y, anchor: sign < 0 ? "start" : "end" };
}

function shrink(from: number, length: number, y: number, labelWidth: number, width: number): NonNullable<Line["decay"]> {
  const size = Math.abs(length);
  const factor = size >= VISIBLE ? 1 : Math.max(1, round(WANTED / size));
  const to = Math.max(2, Math.min(width - 2, from + length * factor));
  const left = Math.min(from, to);
  const fits = left - 8 - labelWidth >= 0;
  return { from, to, y, factor, label: fits ? left - 6 : Math.max(from, to) + 8, anchor: fits ? "end" : "start" };
}

function ticks(low: number, high: number, width: number): Tick[] {
  const minor = round((high - low) / 8);
  const digits = Math.max(0, -Math.floor(Math.log10(minor * 5) + 1e-9));
  const list: Tick[] = [];
  for (let k = Math.ceil(low / minor); k <= Math.floor(high / minor); k++) {
    const at = ((k * minor - low) / (high - low)) * width;
    const inside = at > 20 && at < width - 20;
    list.push({ x: at, label: k % 5 === 0 && inside ? decimals(k * minor, Math.min(digits, 12), false) : null });
  }
  return list;
}
