/** Changing the film that is shown. Every change is another address, so that undo, Back, a reload and a link all lead to it. */
import { embedded } from "../api/embedded";
import { router } from "../app/router.svelte";
import { filmAddress, parseRoute, type Route } from "../app/routing";
import type { Session } from "../app/session.svelte";
import { comparisonAddress } from "../compare/link";
import { NO_VIEW } from "../share/view";
import type { Edit } from "../model/program";

/** Whether what the session shows is a page's own film, which can be computed anew. */
export function canChange(session: Session): boolean {
  return !embedded && session.address !== null && session.original !== null && session.hold === null;
}

/** The edits that the next one adds to: those of a film that is still being computed count. */
export function editsOf(session: Session): readonly Edit[] {
  return session.status === "loading" && router.route.edits.length > 0 ? router.route.edits : session.edits;
}

/** Shows the film with these edits and no others. */
export function change(session: Session, edits: readonly Edit[]): void {
  const { route } = router;
  const { trace, original } = session;
  if (!trace || !original) return;
  // a stored what-if names its edits itself: from now on they stand in the address
  const stored: Partial<Route> = trace.parent && route.edits.length === 0 ? { trace: original.id, program: trace.parent.program, run: null, step: null, example: null } : {};
  go(session, { ...route, ...stored, link: null, edits: [...edits], view: NO_VIEW });
}

export function undo(session: Session): void {
  const { before } = session.history;
  if (before !== null) go(session, parseRoute(before));
}

export function redo(session: Session): void {
  const { after } = session.history;
  if (after !== null) go(session, parseRoute(after));
}

function go(session: Session, route: Route): void {
  if (filmAddress(route) === session.address) return;
  session.stays = true;
  router.go(route);
}

/** The address at which the original and the changed film stand side by side. */
export function besideOriginal(session: Session): string | null {
  const { trace, original, grid } = session;
  return trace && original && grid && original !== trace ? comparisonAddress([{ trace: original.id }, { trace: trace.id }]) : null;
}
