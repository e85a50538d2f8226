/** The searches of this visitor, newest first: one list, whichever view is open when a search begins or changes. */
import { Latest } from "../../../api/latest";
import * as api from "../../../api/sweeps";
import type { SweepSummary } from "../../../api/sweeps";

class SweepsOfMine {
  items = $state.raw<SweepSummary[]>([]);
  loading = $state(true);
  readonly #asked = new Latest();

  /** Asks anew. The list is a way to get about: without it the page works all the same. */
  refresh(): void {
    this.#asked.run((signal) => api.sweeps(signal)).then(
      (page) => {
        if (page) this.items = page.items;
      },
      () => undefined,
    ).finally(() => (this.loading = false));
  }

  follow(sweep: SweepSummary): void {
    this.items = this.items.map((one) => (one.id === sweep.id ? sweep : one));
  }
}

export const sweepsOfMine = new SweepsOfMine();
