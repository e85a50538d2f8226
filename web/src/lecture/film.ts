/** What makes the film that is shown, as a file or another page of it keeps it. */
import type { Route } from "../app/routing";
import type { Session } from "../app/session.svelte";
import type { Edit, Program } from "../model/program";

export function filmOf(route: Route, session: Session): { program: Program; edits: Edit[] } {
  return { program: (route.program as Program | null) ?? session.trace!.program, edits: route.edits };
}
