// Which edges there are to ask about, and what stands for one as a whole. What they are explained by (explainEdge.ts) comes when it is asked for.

import type { Target } from "./explanation";
import type { Contribution, Film } from "./film";
import { ALL, type NetworkGrid } from "./network";

interface Shown {
  film: Film;
}

/** The contribution at its strongest element, of the row `example` where the node has rows: what an edge as a whole stands for. */
export function strongestOf({ film }: Shown, one: Contribution, example: number | null = null): Target {
  const tensor = one.tensor();
  const width = example === null ? tensor.size : tensor.size / (tensor.shape[0] ?? 1);
  const from = (example ?? 0) * width;
  let best = from;
  for (let i = from; i < from + width; i++) if (Math.abs(tensor.flat(i)) > Math.abs(tensor.flat(best))) best = i;
  return { kind: "gradient", node: one.target, index: tensor.unravel(best), part: film.contributions(one.target).indexOf(one) };
}

export interface Hop {
  /** The step that it starts from, and the one where it ends. */
  from: number;
  to: number;
  which: "h" | "c";
  /** What the gradient at its end is the sum of, as far as the hop counts it; in the order of arrival. */
  parts: Contribution[];
}

/** ||dL/dh_t|| as a formula. */
export const normTex = (state: "h" | "c", t: string | number): string => `\\lVert\\partial L/\\partial ${state}_{${t}}\\rVert`;

/** The hop that ends in the state `node`; null for a node at which none ends. */
export function hopInto({ film }: Shown, grid: NetworkGrid, node: number, example: number): Hop | null {
  const column = grid.columns.find((one) => one.h === node || one.c === node);
  const after = column && grid.columns.find((one) => grid.previous(one.t) === column.t);
  if (!column || !after) return null;
  const whole = grid.readout !== "every" && grid.top && example !== ALL; // nothing else reads the state
  const parts = film.contributions(node).filter((one) => one.kind === "vjp" && (whole || (one.time === after.t && after.nodes.includes(one.node))));
  return { from: after.t, to: column.t, which: column.h === node ? "h" : "c", parts };
}
