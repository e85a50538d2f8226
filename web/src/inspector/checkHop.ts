/** A hop between two states checked by finite differences: both gradients, number by number, and the ratio of their norms. */
import type { Session } from "../app/session.svelte";
import type { Target } from "../model/explain";
import type { Contribution } from "../model/film";
import { hopInto } from "../model/edges";
import { norm } from "../model/network";
import type { Checked } from "./checked";

/** Differences of one hop, each four replays on the server. */
export const MOST = 64;

interface Plan {
  /** Of the gradient at the hop's end, element by element: what is added up. */
  after: Target[][];
  before: Target[];
}

/** What there is to compute, however much it is; null where there is no hop of one example. */
function planOf({ film, grid, example }: Pick<Session, "film" | "grid" | "example">, target: Target): Plan | null {
  const own = film && grid?.showing(grid.chainOf(film.trace.nodes[target.node]!));
  const hop = own && example >= 0 ? hopInto({ film }, own, target.node, example) : null;
  const from = hop && own!.column(hop.from)?.[hop.which];
  if (!film || !hop || from === null || from === undefined) return null;
  const all = film.contributions(target.node);
  const parts: (Contribution | null)[] = hop.parts.length === all.length ? [null] : hop.parts; // null: the whole gradient at once
  const { shape } = film.trace.nodes[target.node]!;
  const units = shape.at(-1) ?? 1;
  const at = (i: number): number[] => (shape.length > 1 ? [example, i] : [i]);
  const each = Array.from({ length: units }, (_, i) => i);
  const gradient = (node: number, i: number): Target => ({ kind: "gradient", node, index: at(i) });
  return {
    after: each.map((i) => parts.map((one) => ({ ...gradient(target.node, i), ...(one && { part: all.indexOf(one) }) }))),
    before: each.map((i) => gradient(from, i)),
  };
}

/** How many differences a hop takes; null where it cannot be checked at all. More than MOST are not computed. */
export function hopCost(session: Pick<Session, "film" | "grid" | "example">, target: Target): number | null {
  const plan = planOf(session, target);
  return plan && plan.before.length + plan.after.reduce((sum, parts) => sum + parts.length, 0);
}

const size = (numbers: readonly number[]): number => norm(Float64Array.from(numbers));

/** The factor of the hop into `target`, beside that of the gradients found by central differences. */
export async function checkHop(session: Session, target: Target): Promise<Checked> {
  const plan = planOf(session, target)!;
  const [recorded, found] = [{ before: [] as number[], after: [] as number[] }, { before: [] as number[], after: [] as number[] }];
  const errors = { before: [] as number[], after: [] as number[] };
  const add = async (targets: Target[], side: "before" | "after"): Promise<void> => {
    let [known, difference, error] = [0, 0, 0];
    for (const one of targets) {
      const check = await session.check(one);
      known += check.gradient;
      difference += check.finite_difference;
      error += check.error;
    }
    recorded[side].push(known);
    found[side].push(difference);
    errors[side].push(error);
  };
  for (const targets of plan.after) await add(targets, "after");
  for (const one of plan.before) await add([one], "before");
  const [gradient, finite_difference] = [size(recorded.after) / size(recorded.before), size(found.after) / size(found.before)];
  const error = finite_difference * (size(errors.after) / size(found.after) + size(errors.before) / size(found.before));
  return { gradient, finite_difference, difference: finite_difference - gradient, error };
}
