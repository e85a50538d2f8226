/** What a network answers on an example, and the moment at which that is known and judged. */
import type { Target } from "../model/explain";
import type { Film } from "../model/film";
import { ALL, classTarget, slice, type NetworkGrid } from "../model/network";
import { targetsAt } from "../stage/predictions";

/** After the loss. */
export const answered = (film: Film): number => film.phases.find(({ phase }) => phase === "loss")?.to ?? film.length;

/** The probability of the class that is told, or the number that is predicted; where every step answers, at the step that is most wrong. Null where there is none. */
export function answerOf({ trace }: Film, grid: NetworkGrid, example: number): Target | null {
  const steps = example === ALL ? 0 : (grid.examples[example]?.length ?? 0);
  const times = grid.readout === "every" ? Array.from({ length: steps }, (_, k) => k + 1) : [steps];
  let worst: { wrong: number; target: Target } | null = null;
  for (const t of times) {
    const probe = grid.column(t)?.probe;
    const node = probe?.p ?? probe?.yHat ?? null;
    if (node === null) continue;
    const row = Array.from(slice(trace.value(node), example));
    const right = classTarget(grid, example, t);
    const targets = right === null ? targetsAt(grid, example, t, row.length) : [];
    const off = right === null ? row.map((value, k) => Math.abs(value - (targets[k] ?? value))) : row;
    const told = off.indexOf(Math.max(...off));
    const wrong = right === null ? off[told]! : 1 - row[right]!;
    if (told >= 0 && (worst === null || wrong > worst.wrong)) worst = { wrong, target: { kind: "value", node, index: [example, told] } };
  }
  return worst?.target ?? null;
}
