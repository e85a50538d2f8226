/** The link to what is shown now, whole: also what an address of this page alone leaves out, the program of the opening film or of a run. */
import { formatRoute, type Route } from "../app/routing";
import type { Session } from "../app/session.svelte";
import type { Language } from "../i18n/languages";
import { viewOf } from "./moment";

/** Longer links are cut by programs that send them; the server keeps them under a short name. */
export const LONGEST = 2000;
/** More than the server keeps. */
const MOST = 250_000;

/** The hash that leads to this moment. `session`: of the film; null for a page without one. */
export function momentHash(route: Route, session: Session | null, lang: Language): string {
  if (!session?.trace) return formatRoute({ ...route, view: { ...route.view, lang } });
  const { trace } = session;
  const view = { ...viewOf(session), lang };
  // A stored trace with edits is made by these too, so its program alone would be another film; unless the edits are in the address.
  const edited = route.trace !== null && trace.edited && (route.edits.length === 0 || session.original?.parent !== null);
  const whole = formatRoute({ ...route, program: route.program ?? (edited ? null : trace.program), view });
  return whole.length > MOST ? formatRoute({ ...route, view }) : whole;
}

/** The whole address of a hash of this page; `query` as of a frame. */
export function wholeAddress(hash: string, query = ""): string {
  return `${location.origin}${location.pathname}${query}${hash}`;
}

/** Whether an address leads to the machine of whoever opens it. */
export function isLocal(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
