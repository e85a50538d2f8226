/** The tokens of an example, made ready to be drawn. */
import type { Token } from "../../api/types";

/** Rows of pixels in 0..1. */
export function pixels(tokens: readonly Token[]): number[][] {
  const rows = tokens.map((row) => (Array.isArray(row) ? row : [Number(row)]));
  const side = Math.sqrt(rows.length);
  if (rows.length < 4 || !Number.isInteger(side) || rows.some((row) => row.length !== 1)) return rows;
  return Array.from({ length: side }, (_, y) => rows.slice(y * side, (y + 1) * side).flat()); // one pixel a step
}

/** A line through the numbers, `width` by `height` with 2 units of air; a constant series is a level line in the middle. */
export function seriesPath(tokens: readonly Token[], width: number, height: number): string {
  return seriesPoints(tokens, width, height)
    .map(({ x, y }, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join("");
}

/** Where the numbers stand on that line. */
export function seriesPoints(tokens: readonly Token[], width: number, height: number): { x: number; y: number }[] {
  const values = tokens.map((token) => Number(Array.isArray(token) ? token[0] : token));
  const low = Math.min(...values);
  const high = Math.max(...values);
  const x = (i: number): number => 2 + (values.length < 2 ? 0 : (i / (values.length - 1)) * (width - 4));
  const y = (value: number): number => (high === low ? height / 2 : height - 2 - ((value - low) / (high - low)) * (height - 4));
  return values.map((value, i) => ({ x: x(i), y: y(value) }));
}

/** The pairs (value, marker) of the adding problem. */
export function markedPairs(tokens: readonly Token[]): { value: number; marked: boolean }[] {
  return tokens.map((token) => {
    const [value = 0, marker = 0] = Array.isArray(token) ? token : [Number(token)];
    return { value, marked: marker !== 0 };
  });
}
