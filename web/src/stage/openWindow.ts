/** Which rows and columns an opened cell shows where there are more than it has room for: those about the number that is explained. Pure. */
import type { Target } from "../model/explain";
import type { NetworkGrid } from "../model/network";
import type { Trace } from "../model/trace";

export interface OpenWindow {
  /** The first row that is shown, and the first column of W. */
  row: number;
  column: number;
}

/** The unit that a number belongs to, and the column of W_hh that it stands in or is multiplied with; null where there is none. */
export function placeIn(trace: Trace, grid: NetworkGrid, target: Target | null): { row: number | null; column: number | null } {
  const none = { row: null, column: null };
  if (!target || target.kind === "hop" || target.index.length === 0) return none;
  const { hidden } = grid;
  const node = trace.nodes[target.node]!;
  if (node.role === "parameter") {
    const name = ["weight_hh", "weight_ih", "bias_hh", "bias_ih"].find((one) => grid.parameter(one)?.node === node.id);
    return name ? { row: target.index[0]! % hidden, column: name === "weight_hh" ? target.index[1]! : null } : none;
  }
  const width = node.shape.at(-1) ?? 0;
  if (node.time === null || node.role === "probe" || width === 0 || width % hidden !== 0) return none;
  const row = target.index.at(-1)! % hidden;
  return { row, column: grid.columns.some((one) => one.h === node.id) ? row : null };
}

/** The first of `count` places out of `all`: as it was while `wanted` is among them, so that what is pointed at stays; else with `wanted` in the middle. */
export function firstShown(before: number, count: number, all: number, wanted: number | null): number {
  const last = Math.max(0, all - count);
  const first = Math.min(before, last);
  if (wanted === null || (wanted >= first && wanted < first + count)) return first;
  return Math.max(0, Math.min(last, wanted - Math.floor(count / 2)));
}
