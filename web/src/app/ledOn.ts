import { asProblem } from "../api/problem";
import { insteadOf } from "./batch";
import { router } from "./router.svelte";
import { filmAddress, type Route } from "./routing";
import type { Session } from "./session.svelte";

/**
 * A step that is too large to be shown whole opens with one example of it: its address leads on to that. `film`: what of the route names the
 * film. True: there is nothing more to do here.
 */
export async function ledOn(session: Session, route: Route, film: Route = route): Promise<boolean> {
  if (!route.run || route.example !== null || route.broken.length || session.address === filmAddress(film)) return false;
  session.wait();
  try {
    const other = await insteadOf(route);
    if (router.route !== route || session.status !== "loading") return true; // somebody has gone on, or gave up
    if (other) router.replace(other);
    return other !== null;
  } catch (error) {
    if (router.route === route) session.fail(asProblem(error)!);
    return true;
  }
}
