/** The rows of a prediction box. */
import { classTarget, shownClasses, type NetworkGrid } from "../model/network";
import type { Film } from "../model/film";
import type { Numbers } from "../model/trace";

export interface ClassRow {
  index: number;
  p: number;
  best: boolean;
  target: boolean;
}

/** The classes shown in the column of step t with their probabilities out of `p`, the whole row. */
export function classRows(film: Film, grid: NetworkGrid, example: number, p: Numbers, t: number): ClassRow[] {
  let best = 0;
  for (let k = 1; k < p.length; k++) if (p[k]! > p[best]!) best = k;
  const target = classTarget(grid, example, t);
  return shownClasses(film, grid, example, t).map((index) => ({ index, p: p[index]!, best: index === best, target: index === target }));
}

/** What the predictions of step t should be: the targets that stand under its loss. */
export function targetsAt(grid: NetworkGrid, example: number, t: number, outputs: number): number[] {
  const target = grid.examples[example]?.target;
  if (target === undefined) return [];
  if (typeof target === "number") return [target];
  const numbers = (target as (number | number[])[]).flat(); // one list a step where there are several outputs
  return grid.readout === "every" ? numbers.slice((t - 1) * outputs, t * outputs) : numbers.slice(0, outputs);
}

/** `.46` for 0.46: two decimals without the nought; 1 and NaN as they are. */
export function probability(p: number): string {
  return Number.isNaN(p) ? "NaN" : p.toFixed(2).replace(/^0/, "");
}
