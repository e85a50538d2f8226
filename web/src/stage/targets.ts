/** What clicking a thing of the stage selects. */
import type { Target } from "../model/explain";
import type { Film } from "../model/film";

export const same = (one: Target | null, other: Target): boolean =>
  one !== null && one.kind === other.kind && one.node === other.node && one.index.length === other.index.length && one.index.every((at, axis) => at === other.index[axis]);

/** The first element of a parameter, as what it is to be looked at for now: its update, its gradient, or (before any gradient) its value. */
export function parameterTarget(film: Film, node: number, moment: number, index?: number[]): Target {
  const update = film.update(node);
  const kind = update && update.event < moment ? "update" : film.gradient(node, moment) ? "gradient" : "value";
  return { kind, node, index: index ?? film.trace.nodes[node]!.shape.map(() => 0) };
}
