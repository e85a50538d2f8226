/** Draws parallel coordinates on a canvas: a line a trial, coloured by its score, over the axes and their brushes. */
import type { Sweep, Trial } from "../../../api/sweeps";
import { placesOf, passes, type Brushes, type ParallelAxis } from "./parallel";
import { ramp } from "./ramp";
import { merit } from "./trials";

export interface Frame {
  width: number;
  height: number;
  /** Pixels left of the first axis and right of the last one, where their numbers stand. */
  left: number;
  right: number;
}

const [TOP, BOTTOM] = [40, 16];
const LEAST = 92; // px between two axes, below which the drawing is scrolled
const [MARGIN, BESIDE] = [44, 8]; // px beside the outer axes at least; px between an axis and a number

/** A drawing as wide as its place, or as its axes and their numbers need. */
export function frameOf(axes: readonly ParallelAxis[], place: number, height: number): Frame {
  // of a character of 11 px; those of Chinese are as wide as high
  const long = (label: string): number => [...label].reduce((sum, one) => sum + (one > "\u2e7f" ? 11 : 6.3), 0);
  const beside = (axis: ParallelAxis | undefined): number => Math.max(MARGIN, BESIDE + 6 + Math.max(0, ...(axis?.ticks ?? []).map((tick) => long(tick.label))));
  const [left, right] = [beside(axes[0]), beside(axes.at(-1))];
  return { width: Math.max(place, left + right + LEAST * (axes.length - 1)), height, left, right };
}

/** Pixels of a place on an axis. */
export function pixel({ width, height, left, right }: Frame, axes: number, axis: number, place: number): readonly [number, number] {
  const x = axes < 2 ? width / 2 : left + (axis * (width - left - right)) / (axes - 1);
  return [x, TOP + (1 - place) * (height - TOP - BOTTOM)];
}

export interface NumberPlace {
  x: number;
  foot: number;
  align: "left" | "right";
}

/**
 * Where the number of a tick stands that is `long` pixels: outside the first and the last axis; at any other on the side, above or below the tick, where
 * fewest of the `lines` (points, one on each axis) run through it.
 */
export function numberPlace(lines: readonly (readonly (readonly [number, number])[])[], axes: number, axis: number, [x, y]: readonly [number, number], long: number): NumberPlace {
  if (axis === 0) return { x: x - BESIDE, foot: y + 4, align: "right" };
  if (axis === axes - 1) return { x: x + BESIDE, foot: y + 4, align: "left" };
  const places = ([1, -1] as const).flatMap((side) => [y - 4, y + 12].map((foot) => ({ x: x + side * BESIDE, foot, align: side === 1 ? ("left" as const) : ("right" as const) })));
  const crossed = places.map((place) => {
    const [left, right] = place.align === "left" ? [place.x, place.x + long] : [place.x - long, place.x];
    return lines.filter((line) =>
      line.some(([toX, toY], k) => {
        const [fromX, fromY] = line[k - 1] ?? [toX, toY];
        if (toX <= left || fromX >= right) return false;
        const at = (px: number): number => fromY + ((Math.max(fromX, Math.min(toX, px)) - fromX) / (toX - fromX)) * (toY - fromY);
        return Math.max(at(left), at(right)) > place.foot - 9 && Math.min(at(left), at(right)) < place.foot + 1;
      }),
    ).length;
  });
  return places[crossed.indexOf(Math.min(...crossed))]!;
}

/** The place on its axis of a height in pixels. */
export const placeAt = ({ height }: Frame, y: number): number => 1 - (y - TOP) / (height - TOP - BOTTOM);

export interface Shown extends Frame {
  trials: readonly Trial[];
  direction: Sweep["direction"];
  axes: readonly ParallelAxis[];
  brushes: Brushes;
  labels: readonly string[];
  chosen: number | null;
  best: number | null;
}

export function drawParallel(canvas: HTMLCanvasElement, shown: Shown, style: Pick<CSSStyleDeclaration, "getPropertyValue">): void {
  const { width, height, trials, axes, brushes, labels } = shown;
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const colour = ramp(style);
  const at = (axis: number, place: number): readonly [number, number] => pixel(shown, axes.length, axis, place);

  const pointsOf = (trial: Trial): (readonly [number, number])[] => placesOf(trial, axes).flatMap((place, k) => (place === null ? [] : [at(k, place)]));
  const lines = trials.map(pointsOf);

  const line = (trial: Trial): void => {
    context.beginPath();
    pointsOf(trial).forEach((point, k) => (k === 0 ? context.moveTo(...point) : context.lineTo(...point)));
    context.stroke();
  };
  const within = (trial: Trial): boolean => passes(trial, axes, brushes);
  context.lineJoin = "round";
  // what is brushed away lies below, then by score, so that the best are seen
  const rank = (trial: Trial): number => (within(trial) ? 1 + (merit(trial, trials, shown.direction) ?? 0) : 0);
  for (const trial of [...trials].sort((one, other) => rank(one) - rank(other))) {
    context.globalAlpha = within(trial) ? 0.9 : 0.12;
    context.strokeStyle = colour(merit(trial, trials, shown.direction));
    context.lineWidth = trial.number === shown.best ? 2.5 : 1.25;
    context.setLineDash(trial.state === "complete" ? [] : trial.state === "running" ? [2, 4] : [6, 4]);
    line(trial);
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
  const chosen = trials.find((trial) => trial.number === shown.chosen);
  if (chosen) {
    for (const [ink, thick] of [["--surface", 6], ["--mark", 3]] as const) {
      context.strokeStyle = token(ink);
      context.lineWidth = thick;
      line(chosen);
    }
  }

  const family = token("--sans");
  axes.forEach((axis, k) => {
    const [x, bottom] = at(k, 0);
    const top = at(k, 1)[1];
    context.strokeStyle = token("--line-3");
    context.lineWidth = 1;
    context.strokeRect(Math.round(x), top, 0, bottom - top);
    const brush = brushes[axis.name];
    if (brush) {
      const [high, low] = [at(k, brush[1])[1], at(k, brush[0])[1]];
      context.fillStyle = token("--mark");
      context.globalAlpha = 0.16;
      context.fillRect(x - 6, high, 12, low - high);
      context.globalAlpha = 1;
      context.strokeStyle = token("--mark");
      context.lineWidth = 1.5;
      context.strokeRect(x - 6, high, 12, low - high);
    }
    context.textAlign = k === 0 ? "left" : k === axes.length - 1 ? "right" : "center";
    context.font = `600 12px ${family}`;
    context.fillStyle = token("--ink-1");
    context.fillText(labels[k]!, k === 0 ? 4 : k === axes.length - 1 ? width - 4 : x, 14);
    context.font = `11px ${family}`;
    context.lineWidth = 3; // of a rim of the ground, so that a line that does run behind a number does not run through it
    context.strokeStyle = token("--surface");
    for (const tick of axis.ticks) {
      const point = at(k, tick.place);
      context.fillStyle = token("--line-3");
      context.fillRect(x - 3, Math.round(point[1]), 7, 1);
      const number = numberPlace(lines, axes.length, k, point, context.measureText(tick.label).width);
      context.textAlign = number.align;
      context.strokeText(tick.label, number.x, number.foot);
      context.fillStyle = token("--ink-2");
      context.fillText(tick.label, number.x, number.foot);
    }
  });
}
