/** Draws parallel coordinates on a canvas: a line a trial, coloured by its score, over the axes and their brushes. */
import type { Sweep, Trial } from "../../../api/sweeps";
import { placesOf, passes, type Brushes, type ParallelAxis } from "./parallel";
import { ramp } from "./ramp";
import { merit } from "./trials";

export interface Frame {
  width: number;
  height: number;
}

const [LEFT, RIGHT, TOP, BOTTOM] = [44, 44, 40, 16];

/** Pixels of a place on an axis. */
export function pixel({ width, height }: Frame, axes: number, axis: number, place: number): readonly [number, number] {
  const x = axes < 2 ? width / 2 : LEFT + (axis * (width - LEFT - RIGHT)) / (axes - 1);
  return [x, TOP + (1 - place) * (height - TOP - BOTTOM)];
}

/** Pixels beside each axis that its numbers have for themselves: lines come up to one side and go on from the other. Negative: to its left. */
function gutters({ width }: Frame, axes: readonly ParallelAxis[]): number[] {
  const most = axes.length < 2 ? 0 : 0.45 * ((width - LEFT - RIGHT) / (axes.length - 1));
  // of a character of 11 px; those of Chinese are as wide as high
  const long = (label: string): number => [...label].reduce((sum, one) => sum + (one > "\u2e7f" ? 11 : 6.3), 0);
  return axes.map((axis, k) => {
    const wide = Math.min(most, 14 + Math.max(...axis.ticks.map((tick) => long(tick.label))));
    return k === axes.length - 1 ? -wide : wide;
  });
}

/** Pixels at which the line of a trial comes to a place on an axis (0), and from which it goes on (1). */
export function sides(frame: Frame, axes: readonly ParallelAxis[]): (axis: number, place: number, after: 0 | 1) => [number, number] {
  const room = gutters(frame, axes);
  return (axis, place, after) => {
    const [x, y] = pixel(frame, axes.length, axis, place);
    return [x + (after ? Math.max(0, room[axis]!) : Math.min(0, room[axis]!)), y];
  };
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

  const side = sides(shown, axes);

  const line = (trial: Trial): void => {
    context.beginPath();
    const places = placesOf(trial, axes).flatMap((place, k) => (place === null ? [] : [{ k, place }]));
    places.slice(1).forEach(({ k, place }, i) => {
      const before = places[i]!;
      context.moveTo(...side(before.k, before.place, 1));
      context.lineTo(...side(k, place, 0));
    });
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
      context.fillStyle = token("--surface");
      context.globalAlpha = 0.75;
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
    context.textAlign = "left";
    context.font = `11px ${family}`;
    for (const tick of axis.ticks) {
      const y = at(k, tick.place)[1];
      context.fillStyle = token("--line-3");
      context.fillRect(x - 3, Math.round(y), 7, 1);
      const long = context.measureText(tick.label).width;
      const left = k === axes.length - 1 ? x - 8 - long : x + 7;
      context.fillStyle = token("--ink-2");
      context.fillText(tick.label, left, y + 4);
    }
  });
}
