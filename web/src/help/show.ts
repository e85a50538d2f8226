/** "Show me": goes to a film, and to a moment of it, at which something can be seen. */
import type { CellKind } from "../api/types";
import { withOptimizer, withTask } from "../app/program";
import { router } from "../app/router.svelte";
import type { PageName } from "../app/routing";
import type { Session, TrayTab } from "../app/session.svelte";
import type { Target } from "../model/explain";
import { beats } from "../model/stops";

export interface Show {
  /** Another page than that of the network, where that is enough. */
  page?: PageName;
  at?: "start" | "forward" | "loss" | "backward_begins" | "backward" | "update" | "after";
  /** What the film has to be of; the film that is shown is kept where it will do. */
  cell?: CellKind;
  task?: string;
  optimizer?: string;
  tab?: TrayTab;
  /** Whether the cells are opened. */
  open?: boolean;
  /** The number that is explained. */
  choose?: "state" | "probability" | "loss" | "shared" | "update";
}

const PATIENCE = 60_000; // ms for another film to come
const LOOK = 50;

/** `session` is that of the network page. */
export async function show(session: Session, what: Show): Promise<void> {
  if (what.page) {
    router.go({ page: what.page });
    return;
  }
  const { trace } = session;
  if (router.route.page !== "network") location.hash = router.hrefOf("network");
  const made = trace?.program.kind === "network" ? trace.program : null;
  const other = made && ((what.cell && made.cell !== what.cell) || (what.task && made.task !== what.task) || (what.optimizer && made.optimizer.name !== what.optimizer));
  if (made && other) {
    const { start: _, ...program } = withTask(made, what.task ?? made.task) as typeof made & { start?: unknown };
    router.go({ page: "network", program: { ...program, cell: what.cell ?? made.cell, optimizer: withOptimizer(made.optimizer, what.optimizer ?? made.optimizer.name) } });
  }
  if (await shown(session, other ? trace : null)) arrange(session, what);
}

/** Waits for a film that is not `before`; false where none comes. */
async function shown(session: Session, before: Session["trace"]): Promise<boolean> {
  for (let waited = 0; waited < PATIENCE; waited += LOOK) {
    if (session.status === "ready" && session.grid && session.trace !== before) return true;
    if (session.status === "error") return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  return false;
}

/** Goes to the moment, opens what is to be open, chooses what is to be explained. */
export function arrange(session: Session, { at = "start", tab, open = false, choose }: Show): void {
  const { film, grid } = session;
  if (!film || !grid) return;
  if (session.example < 0) session.example = 0;
  const middle = Math.max(1, Math.ceil(session.steps / 2));
  session.select(null);
  session.focus = null;
  if (tab) session.chooseTab(tab);
  if (at === "after") session.last();
  else session.go(momentOf(session, at, middle));
  if (open) {
    session.focus = middle;
    session.level = "vector";
  }
  if (choose) session.select(targetOf(session, choose, middle));
}

function momentOf(session: Session, at: Exclude<Show["at"], "after" | undefined>, middle: number): number {
  const film = session.film!;
  if (at === "start") return 0;
  if (at === "forward") return film.knownSince(session.grid!.column(middle)!.h);
  if (at === "backward_begins") return beats(film).find(({ phase, what }) => phase === "backward" && what === "head")?.to ?? film.length;
  return film.phases.find(({ phase }) => phase === at)?.to ?? film.length;
}

function targetOf(session: Session, choose: NonNullable<Show["choose"]>, middle: number): Target | null {
  const grid = session.grid!;
  const { example } = session;
  const weight = grid.parameter("weight_hh");
  switch (choose) {
    case "state":
      return { kind: "value", node: grid.column(middle)!.h, index: [example, 0] };
    case "loss":
      return { kind: "value", node: grid.loss, index: [] };
    case "probability": {
      const probe = grid.column(session.steps)?.probe;
      const node = probe?.p ?? probe?.yHat ?? null;
      const target = grid.examples[example]?.target;
      return node === null ? null : { kind: "value", node, index: [example, typeof target === "number" && probe?.p != null ? target : 0] };
    }
    case "shared":
    case "update":
      return weight ? { kind: choose === "shared" ? "gradient" : "update", node: weight.node, index: [0, 0] } : null;
  }
}
