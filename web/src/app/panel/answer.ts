/** What is right for one example, and what the network says of it before the step and after it. */
import { slice, type NetworkGrid } from "../../model/network";
import type { Film } from "../../model/film";
import type { Tensor } from "../../model/trace";
import { targetsAt } from "../../stage/predictions";

export type Answer = { class: number; p: number } | { value: number };

/** The class, or the (first) number, that is right after the last step of example `row`; null where there is no such example. */
export function rightAnswer(grid: NetworkGrid, row: number): number | null {
  const example = grid.examples[row];
  return example ? (targetsAt(grid, row, example.length, outputsOf(example.target))[0] ?? null) : null;
}

/** How many numbers a step predicts. */
function outputsOf(target: number | (number | number[])[]): number {
  const last = typeof target === "number" ? target : target.at(-1);
  return Array.isArray(last) ? last.length : 1;
}

/** The node that holds the answer to example `row`: the prediction at its last step. */
function answering(grid: NetworkGrid, row: number): { node: number; classes: boolean } | null {
  const probe = grid.column(grid.examples[row]?.length ?? 0)?.probe;
  const node = probe?.p ?? probe?.yHat;
  return probe && node !== null && node !== undefined ? { node, classes: probe.p !== null } : null;
}

function read(tensor: Tensor, row: number, classes: boolean): Answer {
  const numbers = slice(tensor, row);
  if (!classes) return { value: numbers[0]! };
  let best = 0;
  for (let k = 1; k < numbers.length; k++) if (numbers[k]! > numbers[best]!) best = k;
  return { class: best, p: numbers[best]! };
}

/** The answer of the forward pass, null as long as it is not computed at moment `m`. */
export function answerBefore(film: Film, grid: NetworkGrid, row: number, m: number): Answer | null {
  const at = answering(grid, row);
  return at && film.known(at.node, m) ? read(film.trace.value(at.node), row, at.classes) : null;
}

/** The answer with the new parameters, null before the last of them has moved (or when there is none). */
export function answerAfter(film: Film, grid: NetworkGrid, row: number, m: number): Answer | null {
  const at = answering(grid, row);
  const tensor = at && film.trace.after?.values.get(at.node);
  return at && tensor && m >= film.finished ? read(tensor, row, at.classes) : null;
}
