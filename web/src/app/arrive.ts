import { Problem } from "../api/problem";
import { formatRoute, type Route } from "./routing";
import type { Session } from "./session.svelte";

/** Whether a page has to open what the address names: it is not what the session shows already, and it can be read. */
export function arrives(session: Session, route: Route): boolean {
  if (route.broken) {
    session.address = null;
    session.fail(new Problem("broken_link", "", 0));
    return false;
  }
  const address = formatRoute(route);
  if (session.address === address && session.status !== "error") return false;
  session.address = address;
  return true;
}
