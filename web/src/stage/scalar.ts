/** One element of one cell: which it is, the row of W that makes it, and the column of W through which its gradient comes back. Pure. */
import { topRows, type Explanation, type Target } from "../model/explanation";
import { GATES, type Column, type NetworkGrid } from "../model/network";
import type { Trace } from "../model/trace";

/** Parts of a cell that have an element each for every unit, in the order in which they are made. */
const PARTS: Record<NetworkGrid["cell"], readonly string[]> = { rnn: ["h"], gru: ["r", "z", "n", "h"], lstm: ["i", "f", "g", "o", "c", "h"] };

export const partsOf = (cell: NetworkGrid["cell"]): readonly string[] => PARTS[cell];

export interface Element {
  part: string;
  unit: number;
  node: number;
}

export function nodeOfPart(column: Column, part: string): number {
  return part === "h" ? column.h : part === "c" ? column.c! : column.gates.get(part)!;
}

/** The element at which a selected number points, moved to the step of `column`; element 0 of h where it points at none. */
export function elementOf(trace: Trace, grid: NetworkGrid, column: Column, selection: Target | null): Element {
  const node = selection && trace.nodes[selection.node]!;
  const own = node && node.role !== "parameter" && node.role !== "probe" && grid.chainOf(node) === grid.shown ? node : null;
  const part = own?.label && PARTS[grid.cell].includes(own.label) ? own.label : "h";
  const unit = own && selection?.index.length === 2 ? selection.index[1]! % grid.hidden : 0;
  return { part, unit, node: nodeOfPart(column, part) };
}

/** The row of W_hh whose product with the state before is in the element; null where no weight stands right before it (h of a gated cell). */
export function rowOf(grid: NetworkGrid, { part, unit }: Element): number | null {
  if (grid.cell === "rnn") return unit;
  const gate = GATES[grid.cell]!.indexOf(part);
  return gate < 0 ? null : gate * grid.hidden + unit;
}

/** Whether the gradient of the element comes back through its column of W_hh: that of a state does. */
export const hasColumn = ({ part }: Element): boolean => part === "h";

/** An explanation with the three greatest terms, and the others together. */
export const short = (explanation: Explanation): Explanation => topRows(explanation, 3);
