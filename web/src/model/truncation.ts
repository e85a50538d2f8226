/** Where truncated back-propagation through time cuts: the state goes on, the gradient ends. */
import type { Trace } from "./trace";

const known = new WeakMap<Trace, ReadonlySet<number>>();

/** Steps t over whose border to t-1 no gradient goes back. */
export function cutsOf(trace: Trace): ReadonlySet<number> {
  let cuts = known.get(trace);
  if (!cuts) {
    const muted = (node: number): boolean => trace.consumers(node).some((reader) => trace.isMuted(reader.node, reader.port));
    known.set(trace, (cuts = new Set(trace.nodes.filter((node) => node.op === "truncate" && node.time !== null && !muted(node.id)).map((node) => node.time!))));
  }
  return cuts;
}
