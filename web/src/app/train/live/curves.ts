/** Curves over the steps of a run, drawn on a canvas as they grow. Pure but for the drawing; reading along them is for CurveChart.svelte. */
import { linearAxis, logAxis, type Axis } from "../chart/scale";

export interface Curve {
  name: string;
  /** The steps of the values; left out: 1, 2, 3, … */
  steps?: ArrayLike<number>;
  values: ArrayLike<number>;
  length: number;
  /** A token, such as `--ink-1`. */
  colour: string;
  width?: number;
  dash?: number[];
  /** Each value has a mark of its own. */
  dots?: boolean;
}

/** Something that happened at a step: a line from top to bottom. */
export interface Event {
  step: number;
  text: string;
}

/** Pixels of the page that a chart leaves around its curves; on the left, for numbers such as 0.004998. */
export const MARGIN = { left: 60, right: 14, top: 8, bottom: 20 } as const;

/** Corners of a line in `width` columns: of all values that fall into one the first, the least, the largest and the last. NaN is a gap. */
export function corners(curve: Curve, x: Axis, y: Axis, width: number, height: number): { x: number; y: number }[] {
  const found: { x: number; y: number }[] = [];
  let column = NaN;
  let [low, high, last] = [NaN, NaN, NaN];
  const put = (at: number, place: number): void => void found.push({ x: at, y: (1 - place) * height });
  const leave = (): void => {
    if (Number.isNaN(column)) return;
    if (low !== high) {
      put(column, low);
      put(column, high);
    }
    put(column, last);
  };
  for (let i = 0; i < curve.length; i++) {
    const value = curve.values[i]!;
    const at = x.place(curve.steps?.[i] ?? i + 1) * width;
    const place = Number.isFinite(value) ? y.place(value) : NaN;
    if (!Number.isFinite(place) || !Number.isFinite(at)) {
      leave();
      if (found.length > 0 && !Number.isNaN(found.at(-1)!.y)) found.push({ x: at, y: NaN });
      column = NaN;
      continue;
    }
    if (Math.round(at) === Math.round(column)) {
      [low, high, last] = [Math.min(low, place), Math.max(high, place), place];
      continue;
    }
    leave();
    column = at;
    low = high = last = place;
    put(at, place);
  }
  leave();
  return found;
}

/** All numbers of curves that an axis is to hold. */
export function* numbers(curves: readonly Curve[]): Iterable<number> {
  for (const curve of curves) for (let i = 0; i < curve.length; i++) yield curve.values[i]!;
}

export interface Picture {
  curves: readonly Curve[];
  x: Axis;
  y: Axis;
  events: readonly Event[];
  /** The step that is looked at; null: none. */
  cursor: number | null;
  /** Level lines with a name. */
  levels?: readonly { value: number; text: string }[];
}

type Style = Pick<CSSStyleDeclaration, "getPropertyValue">;

/** Makes the canvas as large as its box, sharp on any screen; gives its context in pixels of the page, cleared. */
export function prepared(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}

export function drawCurves(canvas: HTMLCanvasElement, width: number, height: number, picture: Picture, style: Style): void {
  const context = prepared(canvas, width, height);
  if (!context) return;
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const [w, h] = [Math.max(1, width - MARGIN.left - MARGIN.right), Math.max(1, height - MARGIN.top - MARGIN.bottom)];
  axes(context, picture, w, h, token);
  context.save();
  context.translate(MARGIN.left, MARGIN.top);
  context.beginPath();
  context.rect(-4, -4, w + 8, h + 8);
  context.clip();
  context.lineJoin = "round";
  for (const curve of picture.curves) line(context, curve, picture, w, h, token);
  context.restore();
  if (picture.cursor === null) return;
  const at = MARGIN.left + Math.round(picture.x.place(picture.cursor) * w) + 0.5;
  context.strokeStyle = token("--mark");
  context.lineWidth = 1;
  context.setLineDash([]);
  stroke(context, at, MARGIN.top, at, MARGIN.top + h);
}

function axes(context: CanvasRenderingContext2D, { x, y, events, levels = [] }: Picture, w: number, h: number, token: (name: string) => string): void {
  context.font = `11px ${token("--sans")}`;
  context.fillStyle = token("--ink-3");
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const { value, label } of y.ticks) {
    const at = MARGIN.top + Math.round((1 - y.place(value)) * h) + 0.5;
    context.strokeStyle = token("--line");
    stroke(context, MARGIN.left, at, MARGIN.left + w, at);
    context.fillText(label, MARGIN.left - 6, at);
  }
  steps(context, x, w, h, token);
  context.textBaseline = "top";
  context.textAlign = "left";
  for (const { value, text } of levels) {
    const place = y.place(value);
    if (!(place >= 0 && place <= 1)) continue;
    const at = MARGIN.top + Math.round((1 - place) * h) + 0.5;
    context.strokeStyle = token("--line-3");
    context.setLineDash([2, 3]);
    stroke(context, MARGIN.left, at, MARGIN.left + w, at);
    context.fillText(text, MARGIN.left + 4, at + 2);
  }
  let free = -Infinity; // what is written of an event needs room
  for (const { step, text } of events) {
    const at = MARGIN.left + Math.round(x.place(step) * w) + 0.5;
    context.strokeStyle = token("--line-3");
    context.setLineDash([4, 3]);
    stroke(context, at, MARGIN.top, at, MARGIN.top + h);
    const long = context.measureText(text).width;
    const left = Math.min(at + 3, MARGIN.left + w - long);
    if (left < free) continue;
    context.fillText(text, left, MARGIN.top);
    free = left + long + 6;
  }
  context.setLineDash([]);
}

/** The ticks of the steps below a chart. */
export function steps(context: CanvasRenderingContext2D, x: Axis, w: number, h: number, token: (name: string) => string): void {
  context.font = `11px ${token("--sans")}`;
  context.fillStyle = token("--ink-3");
  context.textAlign = "center";
  context.textBaseline = "top";
  let free = -Infinity;
  for (const { value, label } of x.ticks) {
    if (!Number.isInteger(value)) continue;
    const half = context.measureText(label).width / 2;
    const at = Math.min(Math.max(MARGIN.left + x.place(value) * w, MARGIN.left + half), MARGIN.left + w - half + MARGIN.right);
    if (at - half < free) continue;
    context.fillText(label, at, MARGIN.top + h + 5);
    free = at + half + 8;
  }
}

function line(context: CanvasRenderingContext2D, curve: Curve, { x, y }: Picture, w: number, h: number, token: (name: string) => string): void {
  context.strokeStyle = context.fillStyle = token(curve.colour);
  context.lineWidth = curve.width ?? 1.5;
  context.setLineDash(curve.dash ?? []);
  const points = corners(curve, x, y, w, h);
  context.beginPath();
  let pen = false;
  for (const point of points) {
    if (Number.isNaN(point.y)) pen = false;
    else {
      if (pen) context.lineTo(point.x, point.y);
      else context.moveTo(point.x, point.y);
      pen = true;
    }
  }
  context.stroke();
  context.setLineDash([]);
  const alone = curve.length === 1; // a line of one value would not be seen
  if (!curve.dots && !alone) return;
  for (const point of points) {
    if (Number.isNaN(point.y)) continue;
    context.beginPath();
    context.arc(point.x, point.y, 2.5, 0, 2 * Math.PI);
    context.fill();
  }
}

function stroke(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

/** The axis of the steps: from before the first, for which a logarithm has no place. */
export const stepsAxis = (log: boolean, last: number): Axis => (log ? logAxis(1, Math.max(10, last)) : linearAxis(0, Math.max(10, last)));

/** The step at a place in pixels of the page, from the left of the chart, among 1..last. */
export function stepAt(x: Axis, place: number, width: number, last: number): number {
  const share = (place - MARGIN.left) / Math.max(1, width - MARGIN.left - MARGIN.right);
  return Math.max(1, Math.min(last, Math.round(x.at(Math.max(0, Math.min(1, share))))));
}

/** Where a key leads along the steps; null for other keys. */
export function stepByKey(key: string, shift: boolean, step: number, last: number): number | null {
  const by: Record<string, number> = {
    ArrowRight: shift ? 10 : 1, ArrowUp: shift ? 10 : 1, ArrowLeft: shift ? -10 : -1, ArrowDown: shift ? -10 : -1,
    PageUp: Math.max(1, Math.round(last / 10)), PageDown: -Math.max(1, Math.round(last / 10)), Home: -last, End: last,
  };
  return key in by ? Math.max(1, Math.min(last, step + by[key]!)) : null;
}
