/** Which groups of a graph are open: all of a small graph, none of a large one, until somebody says otherwise. */
import type { Trace } from "../model/trace";
import type { GroupsView } from "../share/view";
import { grouping, WHOLE, type Grouping } from "./groups";

export class OpenGroups {
  /** Those that were opened, by their paths; null: as a graph begins. */
  chosen = $state.raw<ReadonlySet<string> | null>(null);
  readonly #trace: () => Trace | null;

  readonly #small = $derived.by(() => (this.#trace()?.nodes.length ?? 0) <= WHOLE);
  readonly all: Grouping | null = $derived.by(() => {
    const trace = this.#trace();
    return trace && grouping(trace);
  });
  readonly paths: string[] = $derived(this.all?.groups.map((group) => group.path) ?? []);
  readonly open: ReadonlySet<string> = $derived(this.chosen ?? new Set(this.#small ? this.paths : []));

  constructor(trace: () => Trace | null) {
    this.#trace = trace;
  }

  /** The same for a link: whichever are fewer, the open or the closed ones; null: as a graph begins. */
  get view(): GroupsView | null {
    if (!this.chosen || !this.all) return null;
    const at: Record<GroupsView["state"], number[]> = { open: [], closed: [] };
    this.paths.forEach((path, place) => at[this.open.has(path) ? "open" : "closed"].push(place));
    if (at[this.#small ? "closed" : "open"].length === 0) return null;
    const state = at.open.length < at.closed.length ? "open" : "closed";
    return { state, at: at[state] };
  }

  /** As a link has them. False, and nothing changes but that the graph is as it begins, where it has no such groups. */
  show(view: GroupsView | null): boolean {
    const there = view?.at.every((place) => place < this.paths.length) ?? true;
    const named = new Set(view?.at.map((place) => this.paths[place]!));
    this.chosen = view && there ? new Set(this.paths.filter((path) => named.has(path) === (view.state === "open"))) : null;
    return there;
  }
}
