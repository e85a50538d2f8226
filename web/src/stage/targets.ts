/** What clicking a thing of the stage selects. */
import type { Target } from "../model/explain";
import { strongestOf } from "../model/edges";
import type { Contribution, Film } from "../model/film";
import { ALL, placeOf, type Column, type NetworkGrid } from "../model/network";

export const same = (one: Target | null, other: Target): boolean =>
  one !== null && one.kind === other.kind && one.node === other.node && one.part === other.part && one.index.length === other.index.length && one.index.every((at, axis) => at === other.index[axis]);

/** The first element of a parameter, as what it is to be looked at for now: its update, its gradient, or (before any gradient) its value. */
export function parameterTarget(film: Film, node: number, moment: number, index?: number[]): Target {
  const update = film.update(node);
  const kind = update && update.event < moment ? "update" : film.gradient(node, moment) ? "gradient" : "value";
  return { kind, node, index: index ?? film.trace.nodes[node]!.shape.map(() => 0) };
}

/** The hop from the state after `to` back to the state `which` of step `to`. */
export function hopTarget(to: Column, which: "h" | "c", example: number): Target {
  return { kind: "hop", node: (which === "c" ? to.c : to.h)!, index: [Math.max(0, example), 0] };
}

/** What comes back to a state from above: from the read-out, or from the layer over it. The strongest element; null where nothing does. */
export function fromAbove(film: Film, grid: NetworkGrid, node: number, example: number): Target | null {
  const own = (one: Contribution): boolean => placeOf(film.trace.nodes[one.node]!, grid.cell)?.suffix === grid.shown.suffix;
  const one = film.contributions(node).find((contribution) => contribution.kind === "vjp" && !own(contribution));
  return one ? strongestOf({ film }, one, example === ALL ? null : example) : null;
}

/** This step's share of a parameter's gradient, where it came over one edge; else the whole gradient. */
export function shareTarget(film: Film, parameter: number, step: number | null, index: number[]): Target {
  const all = film.contributions(parameter);
  const whole: Target = { kind: "gradient", node: parameter, index };
  const [only, ...others] = all.filter((one) => one.time === step && one.kind === "vjp");
  return only && others.length === 0 && all.length > 1 ? { ...whole, part: all.indexOf(only) } : whole;
}
