/** The same place in another film: after an edit a film has a few events more or less, and goes on where it was. */
import type { Trace } from "../model/trace";

/** What an event is, whatever its number and those of its nodes. */
function sign(trace: Trace, e: number): string {
  const { events, nodes } = trace;
  const path = (node: number): string => (node < 0 ? "" : nodes[trace.through(node)]!.path);
  return `${events.kind(e)} ${path(events.node(e))} ${path(events.target(e))}`;
}

/** The moment of `now` at which the same has happened as at moment m of `before`: that after the last event of it which both have. */
export function samePlace(before: Trace, m: number, now: Trace): number {
  if (m >= before.events.length) return now.events.length;
  const last = new Map<string, number>();
  for (let e = 0; e < now.events.length; e++) last.set(sign(now, e), e);
  for (let e = m - 1; e >= 0; e--) {
    const there = last.get(sign(before, e));
    if (there !== undefined) return there + 1;
  }
  return 0;
}
