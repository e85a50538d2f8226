/** Which number the inspector explains while nobody has chosen one: it follows the film. */
import type { Target } from "../model/explain";
import type { Film } from "../model/film";
import type { Column, NetworkGrid } from "../model/network";
import type { Tensor } from "../model/trace";

/** Index of the element of greatest magnitude among the first `count` (all when omitted), starting at `from`. */
function strongest(tensor: Tensor, from = 0, count = tensor.size): number {
  let best = from;
  for (let i = from; i < from + count; i++) if (Math.abs(tensor.flat(i)) > Math.abs(tensor.flat(best))) best = i;
  return best;
}

function element(node: number, kind: Target["kind"], tensor: Tensor, from = 0, count = tensor.size): Target {
  return { kind, node, index: tensor.unravel(strongest(tensor, from, count)) };
}

/** The cell that is opened. */
export interface Opened {
  t: number;
  /** The film has not moved since. */
  still: boolean;
}

/** The state of an opened cell, or what has come back to it: the panel goes where somebody looks. The update is of the whole film, and shown there once that moves on. */
function ofOpened(film: Film, grid: NetworkGrid, moment: number, example: number, { t, still }: Opened): Target | null {
  const h = grid.column(t)?.h;
  const phase = film.phaseAt(moment);
  if (h === undefined || !film.known(h, moment) || (phase === "update" && !still)) return null;
  const back = phase !== "forward" && phase !== "loss" && film.gradient(h, moment) !== null;
  return { kind: back ? "gradient" : "value", node: h, index: [Math.max(0, example), unitOf(film, grid, Math.max(0, example))] };
}

/** The unit whose last state counts most for the loss, or is largest where none came back: the same in all steps. */
function unitOf(film: Film, grid: NetworkGrid, example: number): number {
  const { h } = grid.columns.findLast((column) => column.rows > example)!;
  return strongest(film.trace.gradient(h) ?? film.trace.value(h), example * grid.hidden, grid.hidden) % grid.hidden;
}

function ofNetwork(film: Film, grid: NetworkGrid, moment: number, example: number, opened: Opened | null): Target | null {
  const phase = film.phaseAt(moment);
  const inside = opened && ofOpened(film, grid, moment, example, opened);
  if (inside) return inside;
  if (phase === "forward" || phase === "loss") {
    const since = (column: Column): number => film.knownSince(column.h);
    const known = grid.chains.flatMap((chain) => chain.columns).filter((candidate) => candidate.rows > example && film.known(candidate.h, moment));
    const column = known.reduce<Column | null>((latest, candidate) => (latest && since(latest) > since(candidate) ? latest : candidate), null);
    if (column === null) return null;
    return element(column.h, "value", film.trace.value(column.h), example * grid.hidden, grid.hidden);
  }
  const recurrent = grid.parameter("weight_hh");
  const gradient = recurrent && film.trace.gradient(recurrent.node);
  if (!recurrent || !gradient) return null;
  return element(recurrent.node, film.moving < moment ? "update" : "gradient", gradient);
}

function ofExpression(film: Film, moment: number): Target | null {
  if (moment === 0) return null;
  const { events } = film.trace;
  const done = moment - 1;
  const backward = film.phaseAt(moment) === "backward";
  const node = backward && events.target(done) >= 0 ? events.target(done) : events.node(done);
  if (node < 0) return null;
  const gradient = backward ? film.gradient(node, moment) : null;
  return gradient ? element(node, "gradient", gradient) : element(node, "value", film.trace.value(node));
}

export function guide(film: Film, grid: NetworkGrid | null, moment: number, example: number, opened: Opened | null = null): Target | null {
  return grid ? ofNetwork(film, grid, moment, example, opened) : ofExpression(film, moment);
}
