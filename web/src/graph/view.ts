/** Where one looks: the drawing is shown `k` times its size, its origin at (x, y) of the stage. Pure geometry of panning and zooming. */
import type { Point } from "./polyline";

export interface View {
  readonly x: number;
  readonly y: number;
  readonly k: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const LARGEST = 2;
const LEAST_SEEN = 80; // px of the drawing that stay on the stage

const AIR = 12; // px between a drawing that is seen whole and the edge of the stage

/** All of a drawing, in the middle; not smaller than `least`, where its left end comes first. */
export function fit(drawing: Size, stage: Size, least = 0): View {
  const room = (length: number): number => Math.max(1, length - 2 * AIR);
  const k = Math.min(1, Math.max(least, Math.min(room(stage.width) / drawing.width, room(stage.height) / drawing.height) || 1));
  const place = (room: number, size: number): number => (size * k <= room ? (room - size * k) / 2 : 0);
  return { k, x: place(stage.width, drawing.width), y: stage.height >= drawing.height * k ? place(stage.height, drawing.height) : (stage.height - drawing.height * k) / 2 };
}

/** The view with `by` added, but never so far that nothing of the drawing is seen. */
export function pan(view: View, by: Point, drawing: Size, stage: Size): View {
  const keep = (at: number, size: number, room: number): number => Math.min(room - LEAST_SEEN, Math.max(LEAST_SEEN - size * view.k, at));
  return { k: view.k, x: keep(view.x + by.x, drawing.width, stage.width), y: keep(view.y + by.y, drawing.height, stage.height) };
}

/** `factor` times as large, what lies under `at` (on the stage) staying there; as small as all of the drawing needs. */
export function zoom(view: View, factor: number, at: Point, drawing: Size, stage: Size): View {
  const least = Math.min(0.5, fit(drawing, stage).k);
  const k = Math.min(LARGEST, Math.max(least, view.k * factor));
  const share = k / view.k;
  return pan({ k, x: at.x - (at.x - view.x) * share, y: at.y - (at.y - view.y) * share }, { x: 0, y: 0 }, drawing, stage);
}

/** What of the drawing is seen. */
export function seen(view: View, stage: Size, margin = 0): Rect {
  return {
    left: (-view.x - margin) / view.k,
    top: (-view.y - margin) / view.k,
    right: (stage.width - view.x + margin) / view.k,
    bottom: (stage.height - view.y + margin) / view.k,
  };
}

/** Whether any of a box lies in `rect`. */
export function touches(rect: Rect, box: { x: number; y: number; width: number; height: number }): boolean {
  return box.x <= rect.right && box.x + box.width >= rect.left && box.y <= rect.bottom && box.y + box.height >= rect.top;
}

/** The view in which a box is on the stage: this one where it is already, else with the box in the middle. */
export function reveal(view: View, box: { x: number; y: number; width: number; height: number }, stage: Size, drawing: Size): View {
  const [left, top] = [box.x * view.k + view.x, box.y * view.k + view.y];
  const [width, height] = [box.width * view.k, box.height * view.k];
  if (left >= 0 && top >= 0 && left + width <= stage.width && top + height <= stage.height) return view;
  const inside = left < stage.width && left + width > 0 && top < stage.height && top + height > 0;
  if (inside && (width > stage.width || height > stage.height)) return view;
  return pan(view, { x: (stage.width - width) / 2 - left, y: (stage.height - height) / 2 - top }, drawing, stage);
}

/** Whether there is more of the drawing than fits. */
export function overflows(view: View, drawing: Size, stage: Size): boolean {
  return drawing.width * view.k > stage.width + 1 || drawing.height * view.k > stage.height + 1;
}
