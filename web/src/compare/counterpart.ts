/** The same number in another film: of the same role, time step and element. */
import type { Target } from "../model/explain";
import type { Trace, TraceNode } from "../model/trace";

const CELL = /^(rnn|lstm|gru)(?=\/)/;

/** What a node is, whatever the cell it belongs to. */
function role(node: TraceNode): string {
  if (node.role === "parameter") return node.path;
  const scope = node.scope.replace(CELL, "cell");
  return node.label ? `${scope} ${node.label} ${node.role}` : node.path.replace(CELL, "cell");
}

const roles = new WeakMap<Trace, Map<string, TraceNode>>();

function nodeOf(trace: Trace, name: string): TraceNode | null {
  let known = roles.get(trace);
  if (!known) {
    known = new Map();
    for (const node of trace.nodes) if (!known.has(role(node))) known.set(role(node), node);
    roles.set(trace, known);
  }
  return known.get(name) ?? null;
}

/** Null where the other film has no such number. A weight of another shape has none: its rows are other gates. */
export function counterpart(target: Target, from: Trace, to: Trace): Target | null {
  const node = from.nodes[target.node]!;
  const other = nodeOf(to, role(node));
  if (!other || other.shape.length !== node.shape.length) return null;
  const fits = node.role === "parameter" ? node.shape.every((n, axis) => n === other.shape[axis]) : target.index.every((at, axis) => at < other.shape[axis]!);
  return fits ? { ...target, node: other.id } : null;
}
