/** Heat maps that grow as a run does: the gradient of h at each time step, over the training; and states over the time steps. */
import { css, mix, parseColour, type Palette, type Rgb } from "../../../stage/palette";
import { logPlace, logScale, type LogScale } from "../../../tray/logScale";
import type { Axis } from "../chart/scale";
import { MARGIN, prepared, steps } from "./curves";

const DECADES = 12;

interface Column {
  step: number;
  gradient_through_time: readonly number[];
}

/** From which place to which each column reaches, in shares of the axis: halfway to its neighbours, the last up to its own step. */
export function edges(columns: readonly { step: number }[], x: Axis): [number, number][] {
  const places = columns.map(({ step }) => x.place(step));
  return places.map((place, i) => [i === 0 ? Math.min(0, place) : (places[i - 1]! + place) / 2, i === places.length - 1 ? Math.max(place, 0.004) : (place + places[i + 1]!) / 2]);
}

export const scaleOf = (columns: readonly Column[]): LogScale | null => logScale(columns.flatMap((column) => [...column.gradient_through_time]), DECADES);

export const longest = (columns: readonly Column[]): number => Math.max(1, ...columns.map((column) => column.gradient_through_time.length));

/** The colour of a norm on the logarithmic scale; null for an exact zero, undefined for what is no number. */
export function shade(ramp: Palette, scale: LogScale, norm: number): Rgb | null | undefined {
  if (!Number.isFinite(norm)) return undefined;
  return norm === 0 ? null : mix(ramp, logPlace(scale, norm));
}

type Style = Pick<CSSStyleDeclaration, "getPropertyValue">;

export function gradientRamp(style: Style): Palette {
  const [ground, grad] = [parseColour(style.getPropertyValue("--surface")), parseColour(style.getPropertyValue("--grad"))];
  return { positive: grad, negative: grad, zero: ground, dark: grad, light: grad };
}

/** ‖dL/dh_t‖ of every step observed: a column each, the first time step at the bottom. */
export function drawGradients(canvas: HTMLCanvasElement, width: number, height: number, columns: readonly Column[], x: Axis, cursor: number | null, style: Style): void {
  const context = prepared(canvas, width, height);
  const scale = scaleOf(columns);
  if (!context || columns.length === 0 || !scale) return;
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const [w, h] = [Math.max(1, width - MARGIN.left - MARGIN.right), Math.max(1, height - MARGIN.top - MARGIN.bottom)];
  const rows = longest(columns);
  const [ramp, blank, odd] = [gradientRamp(style), parseColour(token("--sunken")), parseColour(token("--bad"))];
  const image = new ImageData(columns.length, rows);
  columns.forEach((column, i) => {
    column.gradient_through_time.forEach((norm, t) => {
      const colour = shade(ramp, scale, norm);
      const [r, g, b] = colour === undefined ? odd : (colour ?? blank);
      image.data.set([r, g, b, 255], 4 * ((rows - 1 - t) * columns.length + i));
    });
  });
  const pixels = document.createElement("canvas");
  [pixels.width, pixels.height] = [columns.length, rows];
  pixels.getContext("2d")!.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  edges(columns, x).forEach(([from, to], i) => {
    const left = MARGIN.left + Math.round(from * w);
    context.drawImage(pixels, i, 0, 1, rows, left, MARGIN.top, Math.max(1, MARGIN.left + Math.round(to * w) - left), h);
  });
  steps(context, x, w, h, token);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const t of new Set([1, rows])) context.fillText(`t=${t}`, MARGIN.left - 6, MARGIN.top + h - ((t - 0.5) / rows) * h + (t === 1 ? -1 : 1));
  if (cursor === null) return;
  context.fillStyle = token("--mark");
  context.fillRect(MARGIN.left + Math.round(x.place(cursor) * w), MARGIN.top, 1, h);
}

/** States: time from left to right, a unit a row. */
export function drawStates(canvas: HTMLCanvasElement, width: number, height: number, hidden: readonly (readonly number[])[], colours: Palette): void {
  const context = prepared(canvas, width, height);
  if (!context) return;
  const [across, down] = [hidden.length, hidden[0]?.length ?? 0];
  const edge = (k: number, count: number, size: number): number => Math.round((k / count) * size);
  hidden.forEach((state, t) => {
    state.forEach((value, unit) => {
      context.fillStyle = css(mix(colours, value));
      const [left, top] = [edge(t, across, width), edge(unit, down, height)];
      const gap = width / across >= 6 && height / down >= 6 ? 1 : 0;
      context.fillRect(left, top, edge(t + 1, across, width) - left - gap, edge(unit + 1, down, height) - top - gap);
    });
  });
}
