/** What edits changed: values, gradients and loss of a film against the original's, node by node. */
import type { Tensor, Trace } from "../model/trace";
import { originalOf } from "./edits";

export interface Difference {
  kind: "value" | "gradient";
  /** In the shown film. */
  node: number;
  /** Of the element that differs most, and its numbers there. */
  index: number[];
  from: number;
  to: number;
  /** How many elements differ. */
  elements: number;
}

/** The largest difference first. Nodes that only one of the films has (those of edits) are not compared. */
export function differences(original: Trace, trace: Trace): Difference[] {
  const found: Difference[] = [];
  for (const node of trace.nodes) {
    if (stands(trace, node.id)) continue;
    const before = originalOf(trace, original, node.id);
    if (before === null || String(original.nodes[before]!.shape) !== String(node.shape)) continue;
    const value = most(original.value(before), trace.value(node.id));
    if (value) found.push({ kind: "value", node: node.id, ...value });
    const [g, h] = [original.gradient(before), trace.gradient(node.id)];
    const gradient = g && h ? most(g, h) : null;
    if (gradient) found.push({ kind: "gradient", node: node.id, ...gradient });
  }
  const size = ({ from, to }: Difference): number => (Number.isNaN(to - from) ? Infinity : Math.abs(to - from));
  return found.sort((one, other) => size(other) - size(one));
}

/** Whether something else stands for a node: a name has gone to what was typed over it, and a muted use passes a value on that has a node already. */
function stands(trace: Trace, node: number): boolean {
  if (trace.nodes[node]!.op === "truncate") return true;
  return trace.consumers(node).some((consumer) => trace.typedOver(consumer.node) === node);
}

function most(before: Tensor, after: Tensor): Omit<Difference, "kind" | "node"> | null {
  let [at, largest, elements] = [-1, -1, 0];
  for (let i = 0; i < after.size; i++) {
    const [a, b] = [before.flat(i), after.flat(i)];
    if (Object.is(a, b) || a === b) continue;
    elements++;
    const size = Number.isNaN(b - a) ? Infinity : Math.abs(b - a);
    if (size > largest) [at, largest] = [i, size];
  }
  return at < 0 ? null : { index: after.unravel(at), from: before.flat(at), to: after.flat(at), elements };
}

/** The loss before and after. */
export function lossesOf(original: Trace, trace: Trace): { from: number; to: number } {
  return { from: original.value(original.loss).flat(0), to: trace.value(trace.loss).flat(0) };
}
