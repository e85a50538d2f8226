/** Axes of charts: from numbers to places, with ticks at round numbers. */
import { decimals, fixed, power, superscript } from "../../../model/format";
import type { Point } from "./series";

export interface Axis {
  low: number;
  high: number;
  log: boolean;
  /** 0 at the low end, 1 at the high end; beyond where a number is beyond. NaN for what a logarithm does not take. */
  place(value: number): number;
  /** The number at a place. */
  at(place: number): number;
  ticks: { value: number; label: string }[];
}

/** A step of 1, 2 or 5 times a power of ten, so that about `count` of them make up `span`. */
export function roundStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  const unit = 10 ** Math.floor(Math.log10(raw));
  return unit * ([1, 2, 5].find((factor) => factor * unit >= raw * 0.999) ?? 10);
}

/** A number on an axis or in a table: four significant digits at most, no trailing zeros, powers of ten where it is far from 1. */
export function short(value: number): string {
  if (!Number.isFinite(value) || value === 0) return fixed(value, 0, false);
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return power(value, 2, false).replace(/\.?0+·/, "·");
  const digits = Math.max(0, 3 - Math.floor(Math.log10(size)));
  const written = decimals(value, digits, false);
  return written.includes(".") ? written.replace(/\.?0+$/, "") : written;
}

/** An axis over `values`; numbers that are not finite, and in a logarithm those that are not positive, are passed over. */
export function axisOver(values: Iterable<number>, log = false, count = 5): Axis {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value) || (log && value <= 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = log ? [0.1, 1] : [0, 1];
  return log ? logAxis(low, high, count) : linearAxis(low, high, count);
}

export function linearAxis(low: number, high: number, count = 5): Axis {
  if (low === high) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
  const step = roundStep(high - low, count);
  const first = Math.ceil(low / step - 1e-9);
  const ticks = Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) => (first + k) * step).map((value) => ({ value, label: short(Number(value.toPrecision(12))) }));
  return { low, high, log: false, ticks, place: (value) => (value - low) / (high - low), at: (place) => low + place * (high - low) };
}

export function logAxis(low: number, high: number, count = 5): Axis {
  if (low === high) [low, high] = [low / 2, high * 2];
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const powers = Array.from({ length: Math.floor(to + 1e-9) - Math.ceil(from - 1e-9) + 1 }, (_, k) => Math.ceil(from - 1e-9) + k);
  const every = Math.max(1, Math.ceil(powers.length / count));
  const whole = powers.filter((_, k) => k % every === 0).map((exponent) => ({ value: 10 ** exponent, label: `10${superscript(exponent)}` }));
  const ticks = whole.length >= 2 ? whole : between(low, high, count);
  return { low, high, log: true, ticks, place: (value) => (value > 0 ? (Math.log10(value) - from) / (to - from) : NaN), at: (place) => 10 ** (from + place * (to - from)) };
}

/** Ticks where less than two powers of ten are in view: 1, 2 and 5 of each, or round numbers evenly apart where those are more. */
function between(low: number, high: number, count: number): Axis["ticks"] {
  const [some, more] = [count, 2 * count].map((about) => linearAxis(low, high, about).ticks.filter((tick) => tick.value > 0)) as [Axis["ticks"], Axis["ticks"]];
  const even = some.length >= 2 ? some : more;
  const first = Math.floor(Math.log10(low));
  const values = Array.from({ length: Math.floor(Math.log10(high)) - first + 1 }, (_, k) => [1, 2, 5].map((factor) => Number(`${factor}e${first + k}`))).flat();
  const round = values.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)).map((value) => ({ value, label: short(value) }));
  return round.length >= Math.min(3, even.length) ? round : even;
}

/** The path through points at places in pixels; a gap where one has no place. */
export function linePath(points: readonly Point[], x: (value: number) => number, y: (value: number) => number): string {
  let path = "";
  let pen = false;
  for (const point of points) {
    const at = point.y === null ? NaN : y(point.y);
    if (!Number.isFinite(at)) {
      pen = false;
      continue;
    }
    path += `${pen ? "L" : "M"}${x(point.x).toFixed(1)} ${at.toFixed(1)}`;
    pen = true;
  }
  return path;
}

/** The point of a line that is nearest to `x` (points in order of x); null where there is none. */
export function nearest(points: readonly Point[], x: number): Point | null {
  let best: Point | null = null;
  for (const point of points) if (best === null || Math.abs(point.x - x) <= Math.abs(best.x - x)) best = point;
  return best;
}

/** Points that bear a marker: all of a few, else some `most` of them evenly apart, from `offset` on so that lines do not mark the same ones. */
export function marked(points: readonly Point[], offset = 0, most = 8): Point[] {
  const drawn = points.filter((point) => point.y !== null && Number.isFinite(point.y));
  if (drawn.length <= 2 * most) return drawn;
  const every = Math.ceil(drawn.length / most);
  return drawn.filter((_, k) => (k + Math.round((offset * every) / 6)) % every === 0);
}
