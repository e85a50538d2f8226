/** Parallel coordinates: an axis a setting, the score last, a line a trial. Places on an axis go from 0 at the bottom to 1 at the top. */
import type { Sweep, Trial } from "../../../api/sweeps";
import { axisOver, linearAxis, logAxis, short } from "../chart/scale";
import { field } from "./trials";

type Value = string | number | boolean | null;

export interface ParallelAxis {
  /** The setting, or "value": the score. */
  name: string;
  /** null where the value has no place. */
  place(value: Value): number | null;
  ticks: { place: number; label: string }[];
  /** Of a setting that is one of some values: these, from the bottom up; else null. */
  categories: Value[] | null;
  /** The number at a place; of categories the nearest. */
  at(place: number): Value;
}

/** Places from which to which trials are looked at, both included. */
export type Brush = readonly [number, number];
export type Brushes = Readonly<Record<string, Brush>>;

const SLACK = 1e-9;

type Label = (name: string, value: Value) => string;

const plain: Label = (_, value) => (typeof value === "number" ? short(value) : String(value ?? "–"));

function numeric(name: string, low: number, high: number, log: boolean, label: Label): ParallelAxis {
  const axis = log && low > 0 ? logAxis(low, high) : linearAxis(low, high);
  const ends = [axis.low, axis.high].map((value) => ({ place: axis.place(value), label: label(name, value) }));
  // ticks that would touch the labels of the ends are left out
  const between = axis.ticks.map((tick) => ({ place: axis.place(tick.value), label: axis.log ? tick.label : label(name, tick.value) })).filter((tick) => tick.place > 0.08 && tick.place < 0.92);
  return {
    name, categories: null, ticks: [ends[0]!, ...between, ends[1]!], at: (place) => axis.at(place),
    place: (value) => {
      const place = typeof value === "number" ? axis.place(value) : NaN;
      return Number.isFinite(place) ? place : null;
    },
  };
}

function categorical(name: string, values: readonly Value[], label: Label): ParallelAxis {
  const categories = values.every((value) => typeof value === "number") ? [...(values as number[])].sort((a, b) => a - b) : [...values];
  const placeOf = (index: number): number => (index + 0.5) / categories.length;
  return {
    name, categories,
    ticks: categories.map((value, i) => ({ place: placeOf(i), label: label(name, value) })),
    at: (place) => categories[Math.min(categories.length - 1, Math.max(0, Math.floor(place * categories.length)))]!,
    place: (value) => {
      const index = categories.indexOf(value);
      return index < 0 ? null : placeOf(index);
    },
  };
}

/** The axes of a search; that of the score spans those that are known. label: a value of a setting, or of the score, in words. */
export function axesOf(sweep: Pick<Sweep, "space" | "trials">, label: Label = plain): ParallelAxis[] {
  const settings = Object.entries(sweep.space).map(([name, one]) => ("choices" in one ? categorical(name, one.choices, label) : numeric(name, one.low, one.high, one.log, label)));
  const scores = axisOver(sweep.trials.map((trial) => trial.value ?? NaN));
  return [...settings, numeric("value", scores.low, scores.high, false, label)];
}

/** The places of a trial on the axes; null where it has none. */
export const placesOf = (trial: Trial, axes: readonly ParallelAxis[]): (number | null)[] => axes.map((axis) => axis.place(field(trial, axis.name)));

/** Whether a trial is within all brushes; one without a place on a brushed axis is not. */
export function passes(trial: Trial, axes: readonly ParallelAxis[], brushes: Brushes): boolean {
  return axes.every((axis) => {
    const brush = brushes[axis.name];
    if (!brush) return true;
    const place = axis.place(field(trial, axis.name));
    return place !== null && place >= brush[0] - SLACK && place <= brush[1] + SLACK;
  });
}

/** A brush between two places, in order and on the axis; null where it spans nothing. */
export function brushed(one: number, other: number): Brush | null {
  const [low, high] = [Math.max(0, Math.min(one, other)), Math.min(1, Math.max(one, other))];
  return high - low < 0.01 ? null : [low, high];
}

/** A brush between two numbers as they are typed; an empty end is that of the axis. null: no brush; undefined: not numbers of this axis. */
export function typedBrush(axis: ParallelAxis, low: string, high: string): Brush | null | undefined {
  const read = (text: string, end: number): number => (text.trim() === "" ? end : (axis.place(Number(text.trim().replace(/\u2212/g, "-"))) ?? NaN));
  const [from, to] = [read(low, 0), read(high, 1)];
  if (!Number.isFinite(from) || !Number.isFinite(to) || from > to) return undefined;
  return from <= 0 && to >= 1 ? null : [Math.max(0, from), Math.min(1, to)];
}

/** The brush of one category. */
export function categoryBrush(axis: ParallelAxis, value: Value): Brush | null {
  const place = axis.place(value);
  const half = 0.5 / (axis.categories?.length ?? 1);
  return place === null ? null : [place - half + 1e-6, place + half - 1e-6];
}

/** Pixels between a point and a line between two. */
function distance(px: number, py: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const share = Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(px - ax - share * dx, py - ay - share * dy);
}

/** The trial whose line is nearest to a point, within `reach` pixels; `at` gives the pixels of a place on an axis. */
export function trialNear(trials: readonly Trial[], axes: readonly ParallelAxis[], at: (axis: number, place: number) => readonly [number, number], x: number, y: number, reach = 8): Trial | null {
  let best: Trial | null = null;
  let least = reach;
  for (const trial of trials) {
    const points = placesOf(trial, axes).flatMap((place, k) => (place === null ? [] : [at(k, place)]));
    for (let k = 1; k < points.length; k++) {
      const far = distance(x, y, ...points[k - 1]!, ...points[k]!);
      if (far < least) [best, least] = [trial, far];
    }
  }
  return best;
}
