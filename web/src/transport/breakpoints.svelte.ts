/** Nodes at whose events a playing film stops. Held by path, so that they stay when the film is made again. */
import { SvelteSet } from "svelte/reactivity";
import type { Trace } from "../model/trace";

export class Breakpoints {
  readonly paths = new SvelteSet<string>();

  toggle(path: string): void {
    if (!this.paths.delete(path)) this.paths.add(path);
  }

  clear(): void {
    this.paths.clear();
  }

  /** Forgets what another film has not. */
  keep(trace: Trace): void {
    for (const path of this.paths) if (!trace.has(path)) this.paths.delete(path);
  }

  /** Ascending: the moments right after an event that computes one of the nodes, sends its gradient on or brings one to it, or moves it. */
  moments(trace: Trace): number[] {
    return this.paths.size === 0 ? [] : touching(trace, new Set([...this.paths].map((path) => trace.node(path).id)));
  }
}

/** The moments right after the events of these nodes. */
export function touching({ events }: Trace, nodes: ReadonlySet<number>): number[] {
  const list: number[] = [];
  for (let e = 0; e < events.length; e++) if (nodes.has(events.node(e)) || nodes.has(events.target(e))) list.push(e + 1);
  return list;
}
