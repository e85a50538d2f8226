/** How large the stage of a network is shown: pure geometry. Zooms are factors; px are those of the screen unless a comment says otherwise. */
import type { Layout } from "./layout";

export const SMALLEST = 0.4;
export const LARGEST = 6;
/** What a press of a key or a button multiplies or divides by. */
export const STEP = 1.25;

/** As small as the stage shows itself unasked: its digits can still be read. */
const LEGIBLE = 0.7;
/** As large as it shows itself unasked, where there is room. */
const ROOMY = 1.5;
/** Columns that are seen to this part are shown whole, a little smaller; of more of them a part is shown. */
const NEARLY = 0.74;

/** A closed cell whose tiles pass this height opens; back at it, what so opened closes again. */
const PASS = 32;
/** Passed by a tenth, so that a hand at rest does not open and close. */
const SLACK = 1.1;

/** As near to `zoom` as the stage goes. Its own size is met exactly: products of factors miss it by a digit. */
export function within(zoom: number): number {
  const near = Math.abs(zoom - 1) < 0.005 ? 1 : zoom;
  return Math.min(LARGEST, Math.max(SMALLEST, near));
}

/** Whether closed tiles of this height ask for the open cell. */
export const opens = (tile: number): boolean => tile > PASS * SLACK;

/** Whether tiles that would have this height if closed ask for the closed cell. */
export const closes = (tile: number): boolean => tile <= PASS + 0.01;

/** The scroll position after a zoom from `before` to `now` at which what lies under `at` (from the edge of the stage) stays there. `room`: what stands before the first thing at either zoom, in px at 100 %. */
export function scrollAfter(scroll: number, at: number, before: number, now: number, room: { before: number; now: number } = { before: 0, now: 0 }): number {
  return ((scroll + at) / before - room.before + room.now) * now - at;
}

/** The largest zoom, up to the stage's own size, at which all of it is seen. */
export function fitting(content: { width: number; height: number }, stage: { width: number; height: number }): number {
  return within(Math.min(1, stage.width / content.width, stage.height / content.height));
}

/** The zoom at which a stage opens: all of a column is seen, as far as its digits can be read; and all columns, where they nearly are. Where all of it is seen it is as large as there is room for, within reason. */
export function opening(content: { width: number; height: number }, stage: { width: number; height: number }): number {
  const across = stage.width / content.width;
  const most = across < NEARLY ? 1 : Math.min(across, ROOMY);
  return within(Math.min(most, Math.max(LEGIBLE, stage.height / content.height)));
}

/** The zoom that `zoomFor` finds for a content whose width at 100 % depends on the zoom. */
export function settled(widthAt: (zoom: number) => number, zoomFor: (width: number) => number): number {
  let zoom = 1;
  for (let i = 0; i < 6; i++) zoom = zoomFor(widthAt(zoom));
  return zoom;
}

/** The step and the card (its place among the grid's chains) nearest to a place of the cell view, in px at 100 %. */
export function cellAt(layout: Pick<Layout, "x1" | "pitch" | "cardTop" | "cardHeight" | "shifts">, steps: number, x: number, y: number): { step: number; card: number } {
  const step = Math.max(1, Math.min(steps, Math.round((x - layout.x1) / layout.pitch) + 1));
  const distance = (card: number): number => Math.abs(y - layout.cardTop - layout.shifts[card]! - layout.cardHeight / 2);
  const card = layout.shifts.reduce((best, _, k) => (distance(k) < distance(best) ? k : best), 0);
  return { step, card };
}
