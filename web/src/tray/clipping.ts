/** What clipping does to the gradient of all parameters: its length changes, its direction does not. */
import type { Film } from "../model/film";
import { norm, type GridParameter } from "../model/network";

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
  /** Between the gradients of all parameters before and after. */
  cosine: number;
}

const ALIKE = 1e-9; // relative

/** From the update's own terms; null for a film that clips nothing, or has fewer than two gradients. */
export function clipArrow(film: Film, parameters: readonly GridParameter[]): ClipArrow | null {
  if (!film.clip) return null;
  const best: { parameter: GridParameter; position: number; size: number }[] = [];
  let [dot, before, after] = [0, 0, 0];
  for (const parameter of parameters) {
    const terms = film.update(parameter.node)?.terms;
    const [g, clipped] = [terms?.get("gradient"), terms?.get("clipped")];
    if (!g || !clipped) return null;
    for (let i = 0; i < g.size; i++) dot += g.flat(i) * clipped.flat(i);
    before += norm(g.data) ** 2;
    after += norm(clipped.data) ** 2;
    for (let i = 0; i < g.size; i++) {
      const size = Math.abs(g.flat(i));
      if (size > (best[0]?.size ?? -1) * (1 + ALIKE)) best.unshift({ parameter, position: i, size });
      else if (size < best[0]!.size * (1 - ALIKE) && size > (best[1]?.size ?? -1)) best.splice(1, 0, { parameter, position: i, size });
      best.length = Math.min(2, best.length);
    }
  }
  if (best.length < 2 || before === 0) return null;
  const term = (name: string) => best.map(({ parameter, position }) => film.update(parameter.node)!.terms.get(name)!.flat(position)) as [number, number];
  const axes = best.map(({ parameter, position }) => {
    const index = film.trace.value(parameter.node).unravel(position);
    return { name: `${parameter.name}[${index.join(", ")}]`, tex: `${parameter.tex}[${index.join(", ")}]`, node: parameter.node, index };
  }) as [Element, Element];
  return { axes, before: term("gradient"), after: term("clipped"), normBefore: Math.sqrt(before), normAfter: Math.sqrt(after), cosine: dot / Math.sqrt(before * after) };
}
