/** Groups of nodes: the scopes of a graph, or the named lines of a formula. A closed group is drawn as one card. */
import type { Trace } from "../model/trace";

export interface Group {
  /** Its scope, `rnn/t=3`; the name of a line. */
  readonly path: string;
  readonly name: string;
  readonly parent: Group | null;
  /** Nodes in it and in the groups within it. */
  readonly count: number;
}

export interface Grouping {
  readonly groups: readonly Group[];
  /** node -> the innermost group that it belongs to; null: none. */
  readonly of: readonly (Group | null)[];
}

/** Graphs up to this size are drawn whole; in larger ones the groups start closed. */
export const WHOLE = 500;

const NEARLY_ALL = 0.9;

/** The groups of a trace. A scope that holds nearly all of the computation is none, and neither is one of a single node. */
export function grouping(trace: Trace): Grouping {
  let paths = trace.nodes.map((node) => (node.op === null ? "" : node.scope));
  if (paths.every((path) => path === "")) paths = trace.nodes.length > WHOLE ? lines(trace) : [];
  if (paths.length === 0) return { groups: [], of: trace.nodes.map(() => null) };
  adopt(trace, paths);
  const sizes = new Map<string, number>();
  for (const path of paths) for (const prefix of prefixes(path)) sizes.set(prefix, (sizes.get(prefix) ?? 0) + 1);
  const computed = trace.nodes.filter((node) => node.op !== null).length;
  const made = new Map<string, Group>();
  const within = (parent: Group | null, prefix: string): Group | null => {
    const count = sizes.get(prefix)!;
    if (count < 2 || count > NEARLY_ALL * computed || parent?.count === count) return parent; // the last: a scope of one scope and nothing else
    const known = made.get(prefix);
    if (known) return known;
    const name = parent ? prefix.slice(parent.path.length + 1) : prefix;
    const group = { path: prefix, name, parent, count };
    made.set(prefix, group);
    return group;
  };
  const of = paths.map((path) => prefixes(path).reduce<Group | null>(within, null));
  return { groups: [...made.values()], of };
}

function prefixes(path: string): string[] {
  if (path === "") return [];
  const parts = path.split("/");
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

/** In a formula a line ends with the node that has its name. */
function lines(trace: Trace): string[] {
  const paths = new Array<string>(trace.nodes.length).fill("");
  let pending: number[] = [];
  for (const node of trace.nodes) {
    if (node.op === null) continue;
    pending.push(node.id);
    if (node.label === null) continue;
    for (const id of pending) paths[id] = node.label;
    pending = [];
  }
  return paths;
}

/** A leaf belongs to the innermost scope that has all its uses. */
function adopt(trace: Trace, paths: string[]): void {
  for (const node of trace.nodes) {
    if (node.op !== null) continue;
    const [first, ...others] = trace.consumers(node.id).map((user) => prefixes(paths[user.node]!));
    paths[node.id] = first?.filter((prefix) => others.every((other) => other.includes(prefix))).at(-1) ?? "";
  }
}

/** The outermost closed group that a node lies in; null where it is drawn itself. */
export function closedAround(group: Group | null, open: ReadonlySet<string>): Group | null {
  let closed: Group | null = null;
  for (let at = group; at; at = at.parent) if (!open.has(at.path)) closed = at;
  return closed;
}
