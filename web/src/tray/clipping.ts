/** What clipping does to the gradient of all parameters: its length changes, its direction does not. */
import type { Film } from "../model/film";
import type { GridParameter } from "../model/network";
import { norm } from "../model/norm";
import type { Tensor } from "../model/trace";

export interface Element {
  name: string;
  tex: string;
  node: number;
  index: number[];
}

export interface ClipArrow {
  /** The element with the largest gradient, and the largest of another size: both biases of a cell have the same. On their plane the arrows are drawn. */
  axes: [Element, Element];
  before: [number, number];
  after: [number, number];
  /** Norms of all gradients together. */
  normBefore: number;
  normAfter: number;
  /** Between the gradients of all parameters before and after; null where one of them has no direction. */
  cosine: number | null;
}

const ALIKE = 1e-9; // relative

/** From the update's own terms; null for a film that clips nothing, or has fewer than two gradients. */
export function clipArrow(film: Film, parameters: readonly GridParameter[]): ClipArrow | null {
  if (!film.clip) return null;
  const best: { parameter: GridParameter; position: number; size: number }[] = [];
  const rows: { g: Tensor; clipped: Tensor }[] = [];
  for (const parameter of parameters) {
    const terms = film.update(parameter.node)?.terms;
    const [g, clipped] = [terms?.get("gradient"), terms?.get("clipped")];
    if (!g || !clipped) return null;
    rows.push({ g, clipped });
    for (let i = 0; i < g.size; i++) {
      const size = Math.abs(g.flat(i));
      if (!Number.isFinite(size)) continue; // has no place on a plane
      if (size > (best[0]?.size ?? -1) * (1 + ALIKE)) best.unshift({ parameter, position: i, size });
      else if (size < best[0]!.size * (1 - ALIKE) && size > (best[1]?.size ?? -1)) best.splice(1, 0, { parameter, position: i, size });
      best.length = Math.min(2, best.length);
    }
  }
  const [before, after] = [norm(rows.map(({ g }) => norm(g.data))), norm(rows.map(({ clipped }) => norm(clipped.data)))];
  if (best.length < 2 || before === 0) return null;
  const term = (name: string) => best.map(({ parameter, position }) => film.update(parameter.node)!.terms.get(name)!.flat(position)) as [number, number];
  const axes = best.map(({ parameter, position }) => {
    const index = film.trace.value(parameter.node).unravel(position);
    return { name: `${parameter.name}[${index.join(", ")}]`, tex: `${parameter.tex}[${index.join(", ")}]`, node: parameter.node, index };
  }) as [Element, Element];
  return { axes, before: term("gradient"), after: term("clipped"), normBefore: before, normAfter: after, cosine: cosineOf(rows, before, after) };
}

/** Of the angle between all gradients and what is left of them, whose norms are given; null where that has no direction. */
function cosineOf(rows: readonly { g: Tensor; clipped: Tensor }[], before: number, after: number): number | null {
  if (!(before > 0 && after > 0 && Number.isFinite(before) && Number.isFinite(after))) return null;
  let cosine = 0;
  for (const { g, clipped } of rows) for (let i = 0; i < g.size; i++) cosine += (g.flat(i) / before) * (clipped.flat(i) / after);
  return cosine;
}
