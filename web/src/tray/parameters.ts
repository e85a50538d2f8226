/** How a parameter is drawn in the tray: digits, low tiles, or (many elements) a texture with the farthest change of each row. */
import type { Film } from "../model/film";
import { Tensor } from "../model/trace";

export type Manner = "digits" | "tiles" | "texture";

export interface BlockLayout {
  manner: Manner;
  rows: number;
  columns: number;
  /** A cell's width, the distance of two rows, the tile's and the lane's height. */
  cell: number;
  row: number;
  tile: number;
  lane: number;
  width: number;
}

export const BLOCK_HEIGHT = 148;
const MOST_TILES = 160;
const CHANGES = 36; // width of the column of changes beside a texture

export function blockLayout(shape: readonly number[]): BlockLayout {
  const [rows, columns] = [shape[0] ?? 1, shape[1] ?? 1];
  if (rows * columns > MOST_TILES || rows > 16) {
    const row = Math.min(24, BLOCK_HEIGHT / rows);
    const cell = Math.min(12, Math.max(4, 380 / columns));
    return { manner: "texture", rows, columns, cell, row, tile: row, lane: 0, width: columns * cell + CHANGES + 6 };
  }
  const row = Math.min(37, BLOCK_HEIGHT / rows);
  const digits = row >= 30 && columns <= 6;
  const cell = digits ? 42 : columns <= 6 ? 30 : 14;
  const lane = row >= 30 ? 9 : Math.max(3, Math.floor(row * 0.3));
  return { manner: digits ? "digits" : "tiles", rows, columns, cell, row, lane, tile: row >= 30 ? 22 : Math.floor(row - lane - 3), width: columns * cell };
}

/** Whether the columns have names, one letter each, and room to print them. */
export function namesColumns(layout: BlockLayout, features: readonly string[] | null): boolean {
  return features !== null && features.length === layout.columns && layout.columns > 1 && layout.cell >= 11 && features.every((name) => [...name].length === 1);
}

/** What an update moved: new minus old; null before it. */
export function change(film: Film, parameter: number, moment: number): Tensor | null {
  const update = film.update(parameter);
  return update && update.event < moment ? (update.terms.get("delta") ?? null) : null;
}

/** The largest |change| of all parameters over the whole film, at least `rate`: AdamW seldom moves farther than its learning rate, SGD may. */
export function changeScale(film: Film, parameters: readonly number[], rate: number): number {
  let largest = rate;
  for (const parameter of parameters) {
    const delta = film.update(parameter)?.terms.get("delta");
    if (delta) for (const d of delta.data) if (Number.isFinite(d)) largest = Math.max(largest, Math.abs(d));
  }
  return largest;
}

/** Of each row, the position (in the tensor) of the element that moved farthest; of those outside of `without`, columns shown one by one. */
export function farthest(delta: Tensor, rows: number, without: readonly number[] = []): number[] {
  const columns = delta.size / rows;
  const others = Array.from({ length: columns }, (_, j) => j).filter((j) => !without.includes(j));
  return Array.from({ length: rows }, (_, r) =>
    others.map((j) => r * columns + j).reduce((best, k) => (Math.abs(delta.flat(k)) > Math.abs(delta.flat(best)) ? k : best)),
  );
}

/** Some columns of a matrix, as a matrix. */
export function pickColumns(tensor: Tensor, columns: readonly number[]): Tensor {
  const [rows, all] = tensor.shape as [number, number];
  return new Tensor([rows, columns.length], Float64Array.from({ length: rows * columns.length }, (_, k) => tensor.flat(Math.floor(k / columns.length) * all + columns[k % columns.length]!)));
}

/** The columns to show of a matrix with named columns that has no room to name all: those that occur; null for any other parameter. */
export function columnsShown(shape: readonly number[], features: readonly string[] | null, used: ReadonlySet<number>): number[] | null {
  if (!features || shape[1] !== features.length || namesColumns(blockLayout(shape), features)) return null;
  const columns = [...used].filter((j) => j >= 0).sort((one, other) => one - other);
  return columns.length > 0 && columns.length < features.length ? columns : null;
}
