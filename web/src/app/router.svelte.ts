/** The address of the moment as state, and the only place that changes it. */
import { openLink } from "../api/client";
import { asProblem, Problem } from "../api/problem";
import { preferences } from "./preferences.svelte";
import { formatRoute, parseRoute, resolved, type PageName, type Route } from "./routing";

type Shown = Partial<Route> & { page: PageName };

// Browsers refuse more than some 100 changes of an entry in 30 s: so many at once, then one in so many ms.
const BURST = 20;
const PACE = 500;

class Router {
  #hash = $state(location.hash);
  #last: Partial<Record<PageName, string>> = $state({});
  /** What links lead to, or why that is not known; undefined while it is fetched. */
  #links = $state.raw<Record<string, Route | Problem | undefined>>({});
  #address = $state(location.hash);
  #due: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How many changes may be written now, and when that was counted. */
  #room = BURST;
  #counted = performance.now();

  readonly route: Route = $derived.by(() => {
    const route = parseRoute(this.#hash);
    if (!route.link || route.broken.length) return route;
    const kept = this.#links[route.link];
    if (kept === undefined) return { ...route, waiting: true };
    return kept instanceof Problem ? { ...route, problem: kept } : resolved(route, kept);
  });

  constructor() {
    window.addEventListener("hashchange", () => {
      if (location.hash !== this.#address) this.#follow(); // else it was gone to here
    });
    for (const end of ["beforeunload", "pagehide"]) window.addEventListener(end, () => this.#write());
    this.#follow();
  }

  /** What stands in the address bar now; `route` is where the page was led to. */
  get address(): string {
    return this.#address;
  }

  #follow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = null;
    this.#hash = this.#address = location.hash;
    const route = parseRoute(location.hash);
    this.#last[route.page] = location.hash;
    // A link from elsewhere brings its language along; entries that were written here have a mark, and leave the language as it is.
    if (route.view.lang && history.state?.retrograd !== true) preferences.lend(route.view.lang);
    if (route.link && !route.broken.length && !(route.link in this.#links)) void this.#fetch(route.link);
  }

  async #fetch(link: string): Promise<void> {
    this.#links = { ...this.#links, [link]: undefined };
    let found: Route | Problem;
    try {
      const address = (await openLink(link)).address;
      found = typeof address === "string" ? parseRoute(address) : new Problem("broken_link", "", 0);
    } catch (error) {
      found = asProblem(error) ?? new Problem("unexpected", String(error), 0);
      if (found.status === 404 || found.status === 422) found = new Problem("lost_link", "", 0);
    }
    if (!(found instanceof Problem) && found.view.lang && !parseRoute(location.hash).view.lang) preferences.lend(found.view.lang);
    this.#links = { ...this.#links, [link]: found };
  }

  /** Asks once more for what the link of this address leads to. */
  retry(): void {
    const { link } = parseRoute(this.#hash);
    if (link && this.#links[link] instanceof Problem) void this.#fetch(link);
  }

  /** Goes to another address; Back leads here again. */
  go(route: Shown): void {
    this.#write();
    location.hash = formatRoute(route);
    this.#follow(); // the browser tells only later, and a second change may come before
  }

  /** Goes to another address in place of this one, to which Back leads no more. */
  replace(route: Shown): void {
    this.#due = formatRoute(route);
    this.#write();
    this.#hash = this.#address = this.#last[route.page] = formatRoute(route);
  }

  /** Lets the address say what the page shows now: in the same entry of the history, and no more often than browsers bear. */
  show(route: Shown): void {
    this.#last[route.page] = formatRoute(route.view ? { ...route, view: { ...route.view, lang: null } } : route);
    if (route.page !== this.route.page) return;
    this.#due = formatRoute(route);
    const now = performance.now();
    this.#room = Math.min(BURST, this.#room + (now - this.#counted) / PACE);
    this.#counted = now;
    if (this.#room >= 1) this.#write();
    else
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#write();
      }, PACE);
  }

  #write(): void {
    if (this.#due === null || this.#due === location.hash) return;
    this.#room = Math.max(0, this.#room - 1);
    try {
      history.replaceState({ retrograd: true }, "", this.#due);
      this.#address = this.#due;
    } catch {
      // a document without an address of its own (srcdoc) cannot change it; nothing else is lost
    }
    this.#due = null;
  }

  /** The address at which `page` was left, so that a tab leads back to what it showed. */
  hrefOf(page: PageName): string {
    return (this.#hash, this.#last[page]) || formatRoute({ page });
  }

  back(): void {
    history.back();
  }
}

export const router = new Router();
