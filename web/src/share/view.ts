/** The part of a link that says how a film is looked at: one short field for each thing, left out where it is as a film begins. */
import type { TrayTab } from "../app/session.svelte";
import type { Language } from "../i18n/languages";
import { readNotation, writeNotation, type Notation } from "../math/notation";
import type { Target } from "../model/explain";
import type { Stride } from "../model/stops";
import { readRanges, writeRanges } from "./ranges";

/** A number of the film, by the path of its node: ids differ between one film and the next. */
export interface Chosen {
  kind: Target["kind"];
  path: string;
  index: number[];
  part?: number;
  term?: string;
}

/** Groups of a graph by their places in its list: those that are open while all others are closed, or the other way round. */
export interface GroupsView {
  state: "open" | "closed";
  at: number[];
}

export type Level = "cell" | "vector" | "scalar";

export interface View {
  /** How many events have happened; "after": the forward pass with the new parameters is shown; "answer": the loss is known, and what the network answers is chosen. */
  at: number | "after" | "answer" | null;
  /** The number that is explained, where it was chosen by hand. */
  why: Chosen | null;
  /** The row of the batch that is shown; "all": their mean. */
  row: number | "all" | null;
  /** Layer and direction, by the end of its parameters' names. */
  chain: string | null;
  /** The time step whose cell was opened (all open alike). */
  cell: number | null;
  level: Level | null;
  /** The groups of a graph, where they are not as it begins. */
  groups: GroupsView | null;
  by: Stride | null;
  tab: TrayTab | null;
  lang: Language | null;
  /** Lecture mode. */
  lecture: "on" | null;
  /** How formulas are written, where it is not as usual. */
  notation: Notation | null;
}

export const NO_VIEW: View = { at: null, why: null, row: null, chain: null, cell: null, level: null, groups: null, by: null, tab: null, lang: null, lecture: null, notation: null };

interface Field<Value> {
  /** null: `text` cannot be read. */
  read(text: string): Value | null;
  write(value: Value): string;
}

function oneOf<Value extends string>(...values: Value[]): Field<Value> {
  return { read: (text) => values.find((value) => value === text) ?? null, write: (value) => value };
}

const count: Field<number> = { read: (text) => (/^\d{1,9}$/.test(text) ? Number(text) : null), write: String };

function countOr<Word extends string>(...words: Word[]): Field<number | Word> {
  return { read: (text) => words.find((word) => word === text) ?? count.read(text), write: String };
}

/** `gradient:0,2:rnn.weight_hh_l0`, one of its contributions `gradient.3:0,2:…`, one term of an update `update.exp_avg:0,2:…`; the path comes last, since there may be anything in it. */
const why: Field<Chosen> = {
  read(text) {
    const parts = /^(value|gradient|update|hop)(?:\.(\d{1,9}|[a-z]\w{0,39}))?:((?:\d{1,9}(?:,\d{1,9}){0,31})?):([^]{1,400})$/.exec(text);
    if (!parts) return null;
    const of = parts[2];
    const counted = of !== undefined && /^\d/.test(of);
    if (of !== undefined && parts[1] !== (counted ? "gradient" : "update")) return null;
    const index = parts[3] ? parts[3].split(",").map(Number) : [];
    return { kind: parts[1] as Target["kind"], index, path: parts[4]!, ...(of !== undefined && (counted ? { part: Number(of) } : { term: of })) };
  },
  write: ({ kind, index, path, part, term }) => `${kind}${part === undefined && term === undefined ? "" : `.${part ?? term}`}:${index.join(",")}:${path}`,
};

/** `open:0-3,5`, the others closed. */
const groups: Field<GroupsView> = {
  read(text) {
    const [, state, list] = /^(open|closed):([^]*)$/.exec(text) ?? [];
    const at = list === undefined ? null : readRanges(list);
    return at && { state: state as GroupsView["state"], at };
  },
  write: ({ state, at }) => `${state}:${writeRanges(at)}`,
};

const FIELDS: { [Name in keyof View]: Field<NonNullable<View[Name]>> } = {
  at: countOr("after", "answer"),
  why,
  row: countOr("all"),
  chain: { read: (text) => (/^\w{1,40}$/.test(text) ? text : null), write: (text) => text },
  cell: count,
  level: oneOf("cell", "vector", "scalar"),
  groups,
  by: oneOf("event", "op", "cell", "phase"),
  tab: oneOf("gradient", "bptt", "pairs", "parameters", "histograms", "curves", "events"),
  lang: oneOf("en", "zh"),
  lecture: oneOf("on"),
  notation: { read: readNotation, write: writeNotation },
};

const NAMES = Object.keys(FIELDS) as (keyof View)[];

/** The view in a query. Names of fields that cannot be read are added to `broken`. */
export function readView(search: URLSearchParams, broken: string[]): View {
  const view: Record<string, unknown> = { ...NO_VIEW };
  for (const name of NAMES) {
    const text = search.get(name);
    if (text === null) continue;
    view[name] = FIELDS[name].read(text);
    if (view[name] === null) broken.push(name);
  }
  return view as unknown as View;
}

/** The fields that are given, by their names in a query. */
export function writeView(view: View): [string, string][] {
  return NAMES.flatMap((name) => {
    const value = view[name];
    return value === null ? [] : [[name, (FIELDS[name] as Field<unknown>).write(value)] as [string, string]];
  });
}

export function isEmpty(view: View): boolean {
  return NAMES.every((name) => view[name] === null);
}

/** `first`, and where it says nothing, `second`. */
export function over(first: View, second: View): View {
  return Object.fromEntries(NAMES.map((name) => [name, first[name] ?? second[name]])) as unknown as View;
}
