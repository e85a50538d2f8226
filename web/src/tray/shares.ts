/** The shares of a parameter's gradient as the tray draws them: element by element where that can be read, else row by row along the sum. */
import type { Share } from "../model/network";
import type { Tensor } from "../model/trace";

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
  let square = 0;
  for (const g of whole.data) square += g * g;
  const size = Math.sqrt(square) || 1;
  const each = Math.ceil(rows / MOST_BINS);
  const cells = new Float64Array(Math.ceil(rows / each));
  for (let r = 0; r < rows; r++) {
    let dot = 0;
    for (let c = 0; c < columns; c++) dot += share.data[r * columns + c]! * whole.data[r * columns + c]!;
    cells[Math.floor(r / each)]! += dot / size;
  }
  return { mode: "rows", rows: cells.length, columns: 1, cells, each };
}

/** Pixels per unit, the same for the shares and their sum: the largest of each just fits half a cell. */
export function unitOf(shares: readonly ShareGrid[], sum: ShareGrid, cell: number, sumCell: number): number {
  const largest = (grids: readonly ShareGrid[]): number => grids.reduce((most, grid) => grid.cells.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), most), 0);
  const [one, whole] = [largest(shares), largest([sum])];
  return Math.min(one > 0 ? (cell / 2 - 1.5) / one : Infinity, whole > 0 ? (sumCell / 2 - 1.5) / whole : Infinity);
}

/** Adds the shares that have arrived; null when none has. */
export function sumSoFar(shares: readonly Share[]): Float64Array | null {
  const arrived = shares.filter((share) => share.arrived);
  if (arrived.length === 0) return null;
  const data = new Float64Array(arrived[0]!.tensor.size);
  for (const { tensor } of arrived) for (let i = 0; i < data.length; i++) data[i]! += tensor.flat(i);
  return data;
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
