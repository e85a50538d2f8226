/** The shares of a parameter's gradient as the tray draws them: element by element where that can be read, else row by row along the sum. */
import type { Share } from "../model/network";
import { along, largestOf, norm } from "../model/norm";
import { Tensor } from "../model/trace";

/** `elements`: every element a bar. `rows`: each row's part of ||G||, rows being taken together where there are too many. */
export interface ShareGrid {
  mode: "elements" | "rows";
  rows: number;
  columns: number;
  cells: Float64Array;
  /** How many rows of the parameter one row of the grid stands for. */
  each: number;
}

const MOST_COLUMNS = 8;
const MOST_ROWS = 16;
const MOST_BINS = 40;

const shapeOf = (tensor: Tensor): [number, number] => [tensor.shape[0] ?? 1, tensor.shape[1] ?? 1];

export function modeOf(tensor: Tensor): ShareGrid["mode"] {
  const [rows, columns] = shapeOf(tensor);
  return rows <= MOST_ROWS && columns <= MOST_COLUMNS ? "elements" : "rows";
}

/** A share (or the sum) as a grid. `whole` is the complete gradient G, along which rows are measured: sum over rows of <share_r, G_r>/||G|| is the share's part of ||G||. */
export function shareGrid(share: Tensor, whole: Tensor): ShareGrid {
  const [rows, columns] = shapeOf(share);
  if (modeOf(share) === "elements") return { mode: "elements", rows, columns, cells: Float64Array.from(share.data), each: 1 };
  const size = norm(whole.data) || 1;
  const each = Math.ceil(rows / MOST_BINS);
  const cells = new Float64Array(Math.ceil(rows / each));
  for (let r = 0; r < rows; r++) {
    cells[Math.floor(r / each)]! += along(share.data.subarray(r * columns, (r + 1) * columns), whole.data.subarray(r * columns, (r + 1) * columns), size);
  }
  return { mode: "rows", rows: cells.length, columns: 1, cells, each };
}

/** Pixels per unit, the same for the shares and their sum: the largest of each just fits half a cell. */
export function unitOf(shares: readonly ShareGrid[], sum: ShareGrid, cell: number, sumCell: number): number {
  const largest = (grids: readonly ShareGrid[]): number => largestOf(grids.map((grid) => largestOf(grid.cells)));
  const [one, whole] = [largest(shares), largest([sum])];
  return Math.min(one > 0 ? (cell / 2 - 1.5) / one : Infinity, whole > 0 ? (sumCell / 2 - 1.5) / whole : Infinity);
}

/** The column of what a parameter had before any step gave it its share: gradients that were kept. */
export const KEPT = 0;

/** A share as it stands in the tray. */
export interface Item {
  /** The column it stands in, and the steps it is made of (`null`: outside of the recurrence, as the read-out's). */
  column: number;
  steps: { from: number; to: number } | null;
  tensor: Tensor;
  arrived: boolean;
  along: number;
}

/**
 * The shares in their columns. An example that is shorter than others of its batch has `columns` of its own; what the others add after
 * that, in a gradient that belongs to all of them, stands in one column more as the sum of what has arrived of it.
 */
export function itemise(shares: readonly Share[], columns: number): Item[] {
  const [own, longer]: [Item[], { share: Share; t: number }[]] = [[], []];
  const timed = shares.some(({ t }) => t !== null);
  for (const share of shares) {
    const { t, tensor, arrived, along } = share;
    if (t !== null && t > columns) longer.push({ share, t });
    else own.push({ column: t ?? (timed ? KEPT : columns), steps: t === null ? null : { from: t, to: t }, tensor, arrived, along });
  }
  if (longer.length === 0) return own;
  const arrived = longer.filter(({ share }) => share.arrived);
  const summed = (arrived.length > 0 ? arrived : longer).map(({ share }) => share);
  const times = longer.map(({ t }) => t);
  const { shape, size } = summed[0]!.tensor;
  const tensor = new Tensor(shape, Float64Array.from({ length: size }, (_, k) => summed.reduce((sum, share) => sum + share.tensor.flat(k), 0)));
  const steps = { from: Math.min(...times), to: Math.max(...times) };
  return [...own, { column: columns + 1, steps, tensor, arrived: arrived.length > 0, along: summed.reduce((sum, share) => sum + share.along, 0) }];
}

/** The bars of a grid as one path, from the middle of each cell; those under a pixel are left to the tick. */
export function barsPath(grid: ShareGrid, cell: number, row: number, unit: number): string {
  const thick = Math.max(1, Math.min(9, row * 0.5));
  let path = "";
  grid.cells.forEach((value, i) => {
    const length = Math.abs(value) * unit;
    if (!Number.isFinite(length) || length < 1) return;
    const x = ((i % grid.columns) + 0.5) * cell;
    const y = (Math.floor(i / grid.columns) + 0.5) * row - thick / 2;
    const width = Math.min(cell / 2, length);
    path += `M${(value < 0 ? x - width : x).toFixed(2)} ${y.toFixed(2)}h${width.toFixed(2)}v${thick}h${(-width).toFixed(2)}z`;
  });
  return path;
}
