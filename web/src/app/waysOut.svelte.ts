/** The ways out of a film that does not come: ask again, or keep the one before. To be called while a page is made. */
import { untrack } from "svelte";
import { connection } from "./connection.svelte";
import { router } from "./router.svelte";
import { readable, type Route } from "./routing";
import type { Session } from "./session.svelte";

export interface WaysOut {
  retry(): void;
  /** The film before stays, and so does its address. */
  giveUp(): void;
  /** The address without what cannot be read of it, where its film can. */
  readonly without: string | null;
}

export function waysOut(session: () => Session, open: (route: Route) => Promise<void>): WaysOut {
  const without = $derived(readable(router.route));

  function retry(): void {
    if (router.route.problem) router.retry();
    else void open(router.route);
  }

  // What failed for want of the server is asked for again when that is back.
  $effect(() => {
    if (connection.returns > 0) untrack(() => session().error?.offline && retry());
  });

  return {
    retry,
    giveUp() {
      if (session().giveUp()) router.back();
    },
    get without() {
      return without;
    },
  };
}
