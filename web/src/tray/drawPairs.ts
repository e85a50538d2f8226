/** The map of all pairs of steps on a canvas: the stronger the more plum, exact zeros blank, what is not finite hatched, nothing above the diagonal. */
import { mix, css, parseColour, type Palette } from "../stage/palette";
import { entry, strength, type Cursor, type Pairs } from "./pairs";

export interface Part {
  /** The steps of the upper left corner, and how many there are in each direction. */
  from: Cursor;
  count: number;
  /** Pixels of the page. */
  cell: number;
  log: boolean;
  at: Cursor;
}

/** Draws part of `pairs`, as large as it is; `style` has the colours. */
export function drawPairs(canvas: HTMLCanvasElement, pairs: Pairs, { from, count, cell, log, at }: Part, style: Pick<CSSStyleDeclaration, "getPropertyValue">): void {
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const [ground, grad] = [parseColour(token("--surface")), parseColour(token("--grad"))];
  const ramp: Palette = { positive: grad, negative: grad, zero: ground, dark: grad, light: grad };
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  const side = Math.round(count * cell * ratio);
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  if (!context) return;
  const edge = (k: number): number => Math.round(k * cell * ratio); // whole pixels: no seams
  const gap = cell >= 6 ? Math.round(ratio) : 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      const norm = entry(pairs, from.t + i, from.s + j);
      if (norm === null) continue;
      const [x, y, width, height] = [edge(j), edge(i), edge(j + 1) - edge(j) - gap, edge(i + 1) - edge(i) - gap];
      if (!Number.isFinite(norm)) hatch(context, x, y, width, height, css(grad));
      else {
        context.fillStyle = norm === 0 ? token("--sunken") : css(mix(ramp, strength(pairs, norm, log)));
        context.fillRect(x, y, width, height);
      }
    }
  }
  const [row, column] = [at.t - from.t, at.s - from.s];
  if (row < 0 || column < 0 || row >= count || column >= count) return;
  const line = 2 * ratio;
  const size = Math.max(cell, 5) * ratio;
  const [x, y] = [edge(column + 0.5) - size / 2, edge(row + 0.5) - size / 2];
  context.lineWidth = line * 2;
  context.strokeStyle = token("--surface");
  context.strokeRect(x, y, size, size);
  context.lineWidth = line;
  context.strokeStyle = token("--mark");
  context.strokeRect(x, y, size, size);
}

function hatch(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, colour: string): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  for (let k = -height; k < width; k += 4) {
    context.moveTo(x + k, y + height);
    context.lineTo(x + k + height, y);
  }
  context.stroke();
  context.restore();
}
