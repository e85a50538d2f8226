import { untrack } from "svelte";
import { router } from "../app/router.svelte";
import { filmAddress, type PageName } from "../app/routing";
import type { Session } from "../app/session.svelte";
import { viewOf } from "./moment";
import { isEmpty } from "./view";

/** Keeps the address at what the session shows, from the component that calls it on; not while `unattended`: a film that plays by itself is nobody's moment. */
export function followSession(sessionOf: () => Session, page: PageName, unattended: () => boolean = () => false): void {
  $effect(() => {
    const session = sessionOf();
    const view = viewOf(session);
    const { route } = router;
    if (unattended() || session.status !== "ready" || route.page !== page) return;
    const film = filmAddress(route);
    if (session.address !== film) return;
    // the opening film as it begins: the page's own address says that
    if (film === `#/${page}` && isEmpty({ ...view, at: view.at === 0 ? null : view.at, lang: null })) return;
    untrack(() => router.show({ ...route, view }));
  });
}
