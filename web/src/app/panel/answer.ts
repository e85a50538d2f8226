/** What the network says of one example, before the step and after it. */
import type { NetworkGrid } from "../../model/network";
import type { Film } from "../../model/film";
import type { Tensor, Trace } from "../../model/trace";

export type Answer = { class: number; p: number } | { value: number };

/** The node that holds the answer to example `row`: the prediction at its last step. */
function answering(trace: Trace, grid: NetworkGrid, row: number): { node: number; classes: boolean } | null {
  const length = trace.batch?.examples[row]?.length;
  const column = grid.columns.find((candidate) => candidate.t === length);
  if (!column?.probe) return null;
  if (column.probe.p !== null) return { node: column.probe.p, classes: true };
  return column.probe.yHat !== null ? { node: column.probe.yHat, classes: false } : null;
}

function read(tensor: Tensor, row: number, classes: boolean): Answer {
  const width = tensor.size / tensor.shape[0]!;
  const start = row * width;
  if (!classes) return { value: tensor.flat(start) };
  let best = 0;
  for (let k = 1; k < width; k++) if (tensor.flat(start + k) > tensor.flat(start + best)) best = k;
  return { class: best, p: tensor.flat(start + best) };
}

/** The answer of the forward pass, null as long as it is not computed at moment `m`. */
export function answerBefore(film: Film, grid: NetworkGrid, row: number, m: number): Answer | null {
  const at = answering(film.trace, grid, row);
  return at && film.known(at.node, m) ? read(film.trace.value(at.node), row, at.classes) : null;
}

/** The answer with the new parameters, null before the last of them has moved (or when there is none). */
export function answerAfter(film: Film, grid: NetworkGrid, row: number, m: number): Answer | null {
  const at = answering(film.trace, grid, row);
  const tensor = at && film.trace.after?.values.get(at.node);
  return at && tensor && m >= film.finished ? read(tensor, row, at.classes) : null;
}
