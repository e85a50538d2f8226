/** How a session looks at its film, as a link holds it, and back. */
import { answered, answerOf } from "../app/answer";
import { preferences } from "../app/preferences.svelte";
import type { Session } from "../app/session.svelte";
import { isUsual } from "../math/notation";
import type { Target } from "../model/explain";
import type { Film } from "../model/film";
import { hopInto } from "../model/edges";
import { ALL, type NetworkGrid } from "../model/network";
import type { Trace } from "../model/trace";
import type { Chosen, View } from "./view";

/** What the session shows now. Reading it in an effect follows the session. */
export function viewOf(session: Session): View {
  const { trace, selection } = session;
  return {
    at: session.after ? "after" : session.moment,
    why: trace && selection && session.pinned ? chosenOf(trace, selection) : null,
    row: session.example === ALL ? "all" : session.example || null,
    chain: session.chain,
    cell: session.focus,
    level: session.level === "scalar" ? "scalar" : null, // an opened cell is the vector level, closed ones are the cell level
    groups: session.groups.view,
    by: session.stride === "cell" ? null : session.stride,
    tab: session.tab === "bptt" ? null : session.tab,
    lang: preferences.lang,
    lecture: session.lecture ? "on" : null,
    notation: isUsual(preferences.notation) ? null : preferences.notation,
  };
}

/** Shows the film of the session as `view` says. The names of the fields that do not fit this film. */
export function showView(session: Session, view: View): string[] {
  const { trace, film } = session;
  if (!trace || !film) return [];
  const misfits: string[] = [];
  if (view.notation) preferences.lendNotation(view.notation);
  const whole = view.at !== null; // as this page writes it: what is not given is as a film begins
  if (view.chain !== null || whole) {
    const there = view.chain === null || session.grid?.chains.some(({ suffix }) => suffix === view.chain);
    if (!there) misfits.push("chain");
    session.chain = there ? view.chain : null;
  }
  const rows = trace.batch?.examples.length ?? 1;
  if (view.row !== null) {
    if (view.row === "all" ? rows > 1 : view.row < rows) session.example = view.row === "all" ? ALL : view.row;
    else misfits.push("row");
  } else if (whole) {
    session.example = 0;
  }
  session.setStride(view.by ?? (whole ? "cell" : session.stride));
  session.tab = view.tab ?? (whole ? "bptt" : session.tab);
  if (view.at === "after" && trace.after) session.last();
  else if (view.at === "answer" && session.grid) session.go(answered(film));
  else if (typeof view.at === "number" && view.at <= film.length) session.go(view.at);
  else if (view.at !== null) misfits.push("at");
  if (whole || view.lecture) session.lecture = view.lecture === "on";
  if (whole) session.focus = null;
  if (view.cell !== null) {
    if (view.cell >= 1 && view.cell <= session.steps) {
      session.focus = view.cell;
      session.level = view.level === "scalar" ? "scalar" : "vector";
    } else {
      misfits.push("cell");
    }
  }
  if ((view.groups || whole) && !session.groups.show(view.groups)) misfits.push("groups");
  if (view.why) {
    const target = targetOf(film, session.grid, view.why);
    if (target) session.select(target);
    else misfits.push("why");
  } else if (whole) {
    session.select(view.at === "answer" && session.grid ? answerOf(film, session.grid, session.example) : null);
  }
  return misfits;
}

function chosenOf(trace: Trace, { node, ...target }: Target): Chosen {
  return { ...target, path: trace.node(node).path };
}

/** The number in the film; null where there is none. */
function targetOf(film: Film, grid: NetworkGrid | null, { kind, path, index, part, term }: Chosen): Target | null {
  const { trace } = film;
  const node = trace.nodes.find((candidate) => candidate.path === path);
  if (!node || node.shape.length !== index.length || index.some((at, axis) => at >= node.shape[axis]!)) return null;
  if (kind === "gradient" && trace.gradient(node.id) === null) return null;
  if (kind === "update" && film.update(node.id) === null) return null;
  if (term !== undefined && !film.update(node.id)?.terms.has(term)) return null;
  if (part !== undefined && part >= film.contributions(node.id).length) return null;
  if (kind === "hop") {
    const own = grid?.showing(grid.chainOf(node));
    if (!own || !hopInto({ film }, own, node.id, index[0] ?? 0)) return null;
  }
  return { kind, node: node.id, index, ...(part !== undefined && { part }), ...(term !== undefined && { term }) };
}
