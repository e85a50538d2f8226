import { Problem } from "../api/problem";
import { showView } from "../share/moment";
import { router } from "./router.svelte";
import { filmAddress, parseRoute, type Route } from "./routing";
import type { Arrival, Session } from "./session.svelte";

/**
 * Shows what the address names: its film, which `open` fetches where the session does not show it already, at its moment.
 * True when the film is a new one.
 */
export async function arrive(session: Session, route: Route, open: (arrival: Arrival) => Promise<boolean>): Promise<boolean> {
  if (route.broken.length || route.problem) {
    session.address = null;
    session.fail(route.problem ?? new Problem("broken_link", route.broken.join(", "), 0));
    return false;
  }
  if (route.waiting) {
    session.address = null;
    session.wait();
    return false;
  }
  const address = filmAddress(route);
  if (session.address === address && session.status !== "error") {
    session.anew = false;
    if (session.status === "ready") session.missed = showView(session, route.view);
    return false;
  }
  session.address = address;
  session.history.visit(address, session.anew);
  const opened = await open({ edits: route.edits, view: route.view, address, base: filmAddress({ ...route, edits: [] }) });
  if (!opened && session.refused && session.address === address) {
    const before = session.history.refuse(); // the film before the edits is shown still, and the address says so
    session.address = before;
    if (before !== null) router.go(parseRoute(before));
  }
  return opened;
}
