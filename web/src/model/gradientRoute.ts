/** Where a gradient comes from, and by which name it is known: through ops that only move numbers it is the same one. */
import type { Context } from "./explanation";
import type { Contribution } from "./film";
import { elementTerms } from "./terms";
import type { Trace } from "./trace";

export const PASSING = new Set(["index", "rows", "concat", "stack", "reshape", "transpose", "broadcast_to"]);

/** The one consumer a node's element goes to, through ops that only pass gradients on; null where it forks. */
export function onward(context: Context, node: number, index: readonly number[]): { contribution: Contribution; index: number[] } | null {
  let at = { node, index: [...index] };
  for (;;) {
    const live = context.film.contributions(at.node).flatMap((contribution) => {
      const place = received(context, contribution, at.index);
      return place === null ? [] : [{ contribution, place }];
    });
    const only = live.length === 1 ? live[0]! : null;
    if (!only) return null;
    const { op } = context.trace.nodes[only.contribution.node]!;
    if (op !== "add" && !PASSING.has(op ?? "")) return { contribution: only.contribution, index: only.place };
    at = { node: only.contribution.node, index: only.place };
  }
}

/** The node nearest to the loss that has the same gradient and a name of its own: sums and moves pass a gradient on unchanged. */
export function renamed(context: Context, node: number, index: readonly number[]): { node: number; index: number[] } {
  const { trace, symbols, film } = context;
  const start = { node, index: [...index] };
  for (let at = start; ; ) {
    if (symbols.named(at.node) !== null || symbols.delta(at.node, at.index) !== null) return at;
    const all = film.contributions(at.node);
    const { op } = trace.nodes[all[0]?.node ?? at.node]!;
    const place = all.length === 1 && (op === "add" || PASSING.has(op ?? "")) ? received(context, all[0]!, at.index) : null;
    if (place === null) return start;
    at = { node: all[0]!.node, index: place };
  }
}

/** Where in the consumer's output an element of its input goes, for ops that keep elements apart; null when it does not occur there. */
export function received(context: Context, { node, port, kind }: Contribution, index: readonly number[]): number[] | null {
  const { trace } = context;
  if (kind !== "vjp") return null;
  const consumer = trace.nodes[node]!;
  if (!PASSING.has(consumer.op ?? "")) return consumer.shape.length === index.length ? [...index] : null;
  const position = destinations(trace, node, port)[trace.value(consumer.inputs[port]!).offset(index)]!;
  return position < 0 ? null : trace.value(node).unravel(position);
}

const moves = new WeakMap<Trace, Map<string, Int32Array>>();

/** For an op that only moves numbers: position in its input -> (first) position in its output, or -1. Worked out once. */
function destinations(trace: Trace, node: number, port: number): Int32Array {
  let known = moves.get(trace);
  if (!known) moves.set(trace, (known = new Map()));
  const key = `${node} ${port}`;
  let found = known.get(key);
  if (!found) {
    const [from, to] = [trace.value(trace.nodes[node]!.inputs[port]!), trace.value(node)];
    found = new Int32Array(from.size).fill(-1);
    for (let i = to.size - 1; i >= 0; i--) {
      const term = elementTerms(trace, node, to.unravel(i))?.[0];
      if (term?.port === port) found[from.offset(term.index)] = i;
    }
    known.set(key, found);
  }
  return found;
}

/** Whether neither a node nor any that has the same gradient has a symbol of its own. */
export function nameless(context: Context, node: number, index: readonly number[]): boolean {
  const at = renamed(context, node, index);
  return context.symbols.named(at.node) === null && context.symbols.delta(at.node, at.index) === null;
}

/** The gradient of a whole node (a row of it, in a batch) by the best name there is, on one line. */
export function namedWhole(context: Context, node: number, row: number): string {
  const { symbols, trace } = context;
  const origin = trace.nodes[node]!.shape.map(() => 0);
  const at = renamed(context, node, origin).node;
  return `$${symbols.delta(at, trace.nodes[at]!.shape.map(() => 0), true) ?? symbols.inlineGradient(at, [row])}$`;
}

export function named(context: Context, node: number, index: readonly number[]): string {
  const at = renamed(context, node, index);
  return `$${context.symbols.inlineGradient(at.node, at.index)}$`;
}
