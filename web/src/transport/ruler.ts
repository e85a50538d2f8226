/** The mathematics of the ruler: events to pixels and back, bands, ticks. */

export interface Scale {
  /** Pixels from the left edge to event 0, and from there to the last. */
  readonly pad: number;
  readonly length: number;
  readonly events: number;
}

export function scaleOf(width: number, pad: number, events: number): Scale {
  return { pad, length: Math.max(0, width - 2 * pad), events };
}

export function xOf(scale: Scale, moment: number): number {
  return scale.pad + (scale.events === 0 ? 0 : (scale.length * moment) / scale.events);
}

/** The moment nearest to a place on the ruler. */
export function momentAt(scale: Scale, x: number): number {
  if (scale.length === 0) return 0;
  return Math.min(scale.events, Math.max(0, Math.round(((x - scale.pad) / scale.length) * scale.events)));
}

/** Event ticks, thinned (every 2nd, 5th, 10th, 20th …) so that they stand at least `apart` pixels from each other. */
export function ticks(scale: Scale, apart = 4): number[] {
  if (scale.events === 0) return [0];
  const gap = scale.length / scale.events;
  let step = 1;
  for (let k = 0; step * gap < apart && step < scale.events; k++) step = [2, 5, 10][k % 3]! * 10 ** Math.floor(k / 3);
  return Array.from({ length: Math.floor(scale.events / step) + 1 }, (_, i) => i * step);
}

/** Where ticks at these moments stand; of those closer than `apart` pixels to the one before none is drawn. */
export function standing(scale: Scale, moments: readonly number[], apart = 2): number[] {
  const places: number[] = [];
  for (const moment of moments) {
    const x = xOf(scale, moment);
    if (!places.length || x - places.at(-1)! >= apart) places.push(x);
  }
  return places;
}

export interface Labelled {
  from: number;
  to: number;
  text: string;
}

/** The labels that have room: a label is left out where it would touch the one before it. */
export function roomyLabels(scale: Scale, labels: readonly Labelled[], room = 18): { x: number; text: string }[] {
  const placed: { x: number; text: string }[] = [];
  for (const { from, to, text } of labels) {
    const x = (xOf(scale, from) + xOf(scale, to)) / 2;
    const before = placed.at(-1);
    if (!before || x - before.x >= room) placed.push({ x, text });
  }
  return placed;
}

export interface PhaseLabel {
  x: number;
  at: number;
  anchor: "start" | "end";
  text: string;
  on: boolean;
}

/**
 * Names of the bands, each at its band's start. One that would run into the next, or over the ruler's end, ends there instead, where the
 * band before it leaves room; else it is left out.
 */
export function phaseLabels(bands: readonly { x: number; text: string; on: boolean }[], end: number): PhaseLabel[] {
  const room = (text: string): number => [...text].reduce((sum, c) => sum + (c.charCodeAt(0) > 255 ? 12.5 : 6.9), 6);
  const placed: PhaseLabel[] = [];
  let limit = end + 6;
  for (let i = bands.length - 1; i >= 0; i--) {
    const { x, text, on } = bands[i]!;
    const before = bands[i - 1];
    const fits = x + room(text) <= limit;
    const from = fits ? x : limit - room(text);
    if (!fits && before && before.x + room(before.text) > from) continue;
    placed.unshift({ x, at: fits ? x : limit - 6, anchor: fits ? "start" : "end", text, on });
    limit = from;
  }
  return placed;
}
