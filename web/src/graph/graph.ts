/** A node as a card before it is placed, and what is marked at a moment. */
import type { Target } from "../model/explain";
import type { Film } from "../model/film";
import type { Trace, TraceNode } from "../model/trace";

export const TILE = { width: 64, height: 28, lane: 12, gap: 4 } as const;
export const CARD = { pad: 10, head: 26 } as const;
/** Tiles drawn of one tensor, along each axis; of the rest the card says how many there are. */
export const LIMIT = 6;

export interface Card {
  node: TraceNode;
  width: number;
  height: number;
  rows: number;
  columns: number;
  /** Elements that are not drawn. */
  hidden: number;
}

/** Rows and columns of tiles for a shape: a vector stands as a column, more axes than two are folded into the rows. */
export function extent(shape: readonly number[]): [rows: number, columns: number] {
  if (shape.length === 0) return [1, 1];
  if (shape.length === 1) return [shape[0]!, 1];
  const columns = shape.at(-1)!;
  return [shape.slice(0, -1).reduce((product, size) => product * size, 1), columns];
}

export function cardOf(node: TraceNode): Card {
  const [allRows, allColumns] = extent(node.shape);
  const rows = Math.min(allRows, LIMIT);
  const columns = Math.min(allColumns, LIMIT);
  const hidden = allRows * allColumns - rows * columns;
  return {
    node, rows, columns, hidden,
    width: 2 * CARD.pad + Math.max(88, columns * (TILE.width + TILE.gap) - TILE.gap),
    height: CARD.head + CARD.pad + rows * (TILE.height + TILE.lane + TILE.gap) + (hidden ? 18 : 0),
  };
}

/** The greatest finite gradient of the whole film, on whose scale every lane is drawn; 1 when there is none. */
export function greatestGradient(trace: Trace): number {
  let greatest = 0;
  for (const node of trace.nodes) {
    const gradient = trace.gradient(node.id);
    for (let i = 0; gradient && i < gradient.size; i++) {
      const size = Math.abs(gradient.flat(i));
      if (Number.isFinite(size) && size > greatest) greatest = size;
    }
  }
  return greatest || 1;
}

/** The number of a node that a card as a whole stands for: its greatest gradient once there is one, else its greatest value. */
export function strongestTarget(film: Film, node: number, moment: number): Target {
  const gradient = film.phaseAt(moment) === "backward" ? film.gradient(node, moment) : null;
  const tensor = gradient ?? film.trace.value(node);
  let best = 0;
  for (let i = 1; i < tensor.size; i++) if (Math.abs(tensor.flat(i)) > Math.abs(tensor.flat(best))) best = i;
  return { kind: gradient ? "gradient" : "value", node, index: tensor.unravel(best) };
}

export interface Subject {
  node: number;
  /** The edge the event is about: a contribution on its way back. */
  edge: string | null;
}

/** What event `e` is about; null for the events that are about everything (zeroing, clipping). */
export function subject(film: Film, e: number): Subject | null {
  if (e < 0 || e >= film.length) return null;
  const { events } = film.trace;
  const target = events.target(e);
  if (target >= 0) return { node: target, edge: events.port(e) >= 0 ? `${events.node(e)}:${events.port(e)}` : null };
  return events.node(e) >= 0 ? { node: events.node(e), edge: null } : null;
}

const OPERATORS: Record<string, string> = { add: "+", sub: "\u2212", mul: "\u00d7", div: "\u00f7", neg: "\u2212", pow: "x\u207f", matmul: "@", sum: "\u03a3" };

/** What stands at the head of a card for an op. */
export function opSign(op: string): string {
  return OPERATORS[op] ?? op;
}
