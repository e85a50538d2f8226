/** The address of the moment as state, and the only place that changes it. */
import { formatRoute, parseRoute, type PageName, type Route } from "./routing";

class Router {
  #hash = $state(location.hash);
  #last: Partial<Record<PageName, string>> = {};
  readonly route: Route = $derived(parseRoute(this.#hash));

  constructor() {
    window.addEventListener("hashchange", () => this.#follow());
    this.#follow();
  }

  #follow(): void {
    this.#hash = location.hash;
    this.#last[parseRoute(location.hash).page] = location.hash;
  }

  /** Goes to another address; Back leads here again. */
  go(route: Partial<Route> & { page: PageName }): void {
    location.hash = formatRoute(route);
    this.#follow(); // the browser tells only later, and a second change may come before
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
