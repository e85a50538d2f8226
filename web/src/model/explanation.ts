// What an explanation is made of, and what all explanations share.

import type { Notation } from "../math/notation";
import type { Contribution, Film } from "./film";
import { MINUS, three } from "./format";
import type { NetworkGrid } from "./network";
import type { Symbols } from "./symbols";
import type { Phase, Trace } from "./trace";

/**
 * A number on the screen. `index` is [] for a 0-d node. `part`: of a gradient only this one of its contributions, in the order of their
 * arrival: what comes back over one edge. `term`: of an update this one of its rule's terms, by its name in the trace. hop: by what the way back into the state `node` multiplies the gradient's norm, all elements together.
 */
export type Target = { kind: "value" | "gradient" | "update" | "hop"; node: number; index: number[]; part?: number; term?: string };

/** Words of the catalogue with their parameters. */
export interface Message {
  key: string;
  params?: Record<string, string | number>;
}

/** Text with `$TeX$` that needs no translation, or a message. */
export type Text = string | Message;

export interface Use {
  node: number;
  port: number;
}

export interface Row {
  label: Text;
  detail: Text;
  value: number;
  /** Whether it counts already. */
  arrived: boolean;
  t: number | null;
  /** What a click on the row explains. */
  target?: Target;
  /** The use of the number that sends this back, which can be muted: the consumer and its input. */
  use?: Use;
  /** The use is muted: nothing comes back. */
  muted?: boolean;
}

export interface LadderStep {
  /** What a click on it explains. */
  target?: Target | undefined;
  name: Message;
  symbol: string;
  value: number;
  strong: boolean;
  tone: "gradient" | "plain" | "update";
}

/** What the number line of an update shows; `step` and `decay` add up to the distance from old to new. */
export interface Move {
  old: number;
  new: number;
  step: number;
  decay: number;
  gradient: number;
}

export interface Explanation {
  target: Target;
  title: string;
  value: number | null;
  /** The value before an update. */
  before?: number;
  phase: Phase;
  /** Message key, as `why.kind.shared_weight`. */
  kind: Message;
  /** unknown: nothing has arrived yet; open: more will arrive. */
  state: "known" | "open" | "unknown";
  sentence: Message;
  /** What a value that is no finite number means. */
  note: Message | null;
  /** TeX, displayed. */
  symbols: string;
  /** The same with this moment's numbers. */
  numbers: Text;
  rows: Row[];
  /** What stands in no row of its own: their number, and the sum of those that count. */
  others: { count: number; value: number } | null;
  /** The sum of the rows that count, the others included. */
  sum: number | null;
  /** What the sum is, where it is not the number itself (the argument of tanh). */
  sumLabel: Text | null;
  /** With a target: what a click on it explains. */
  facts: (Message & { value: number; target?: Target })[];
  ladder: LadderStep[] | null;
  move: Move | null;
}

/** All that an explanation draws on. */
export interface Context {
  film: Film;
  trace: Trace;
  grid: NetworkGrid | null;
  symbols: Symbols;
  notation: Notation;
  m: number;
  example: number;
}

/** An explanation with nothing in it yet but the name of what is explained. */
export function blank(context: Context, target: Target, phase: Phase, kind: string): Explanation {
  return {
    target,
    title: target.kind === "gradient" ? context.symbols.gradient(target.node, target.index) : context.symbols.element(target.node, target.index),
    value: null,
    phase,
    kind: { key: kind },
    state: "unknown",
    sentence: { key: "why.say.unknown" },
    note: null,
    symbols: "",
    numbers: "",
    rows: [],
    others: null,
    sum: null,
    sumLabel: null,
    facts: [],
    ladder: null,
    move: null,
  };
}

/** The rows that count, added in their order. */
export function total(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => (row.arrived ? sum + row.value : sum), 0);
}

/** So many terms of a sum have room on a line. */
export const LINE = 6;

/** The rows' numbers as one sum on a line; when there are many, those that count most, in their order. */
export function written(rows: readonly { value: number; arrived: boolean }[]): string {
  const values = rows.filter((row) => row.arrived).map((row) => row.value);
  const one = (value: number, first: boolean): string => {
    const text = three(value);
    return first ? text : value < 0 ? `${MINUS} ${text.slice(1)}` : `+ ${text.replace(/^\+/, "")}`;
  };
  if (values.length <= LINE) return values.map((value, i) => one(value, i === 0)).join(" ");
  const most = new Set([...values.keys()].sort((i, k) => Math.abs(values[k]!) - Math.abs(values[i]!)).slice(0, 4));
  return `${values.filter((_, i) => most.has(i)).map((value, i) => one(value, i === 0)).join(" ")} + \u2026`;
}

/** What can be muted of a contribution: who reads the number, and at which input. A muted use is read through a node of its own. */
export function useOf(trace: Trace, { node, port, kind }: Contribution): { use?: Use; muted?: boolean } {
  if (kind !== "vjp") return {};
  if (trace.nodes[node]!.op !== "truncate") return { use: { node, port } };
  const use = trace.consumers(node).find((reader) => trace.isMuted(reader.node, reader.port));
  return use ? { use, muted: true } : {};
}

/** An explanation with the `count` rows of greatest magnitude, in their order, and what all others are together. Unchanged where one other would be left. */
export function topRows(explanation: Explanation, count: number): Explanation {
  const { rows, others } = explanation;
  if (rows.length <= count || (rows.length === count + 1 && others === null)) return explanation;
  const size = (row: Row): number => (Number.isNaN(row.value) ? Infinity : Math.abs(row.value));
  const kept = new Set([...rows].sort((one, other) => size(other) - size(one)).slice(0, count));
  const rest = rows.filter((row) => !kept.has(row));
  return {
    ...explanation,
    rows: rows.filter((row) => kept.has(row)),
    others: { count: rest.length + (others?.count ?? 0), value: total(rest) + (others?.value ?? 0) },
  };
}
