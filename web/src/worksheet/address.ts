/** What a worksheet's address holds beside its film. */
import type { Route } from "../app/routing";
import { formatRoute } from "../app/routing";
import type { Session } from "../app/session.svelte";
import { filmOf } from "../lecture/film";
import { isUsual, type Notation } from "../math/notation";
import { NO_VIEW } from "../share/view";

export const KINDS = ["forward", "loss", "gradient", "update"] as const;
export type Kind = (typeof KINDS)[number];
export const PAPERS = ["a4", "letter"] as const;

export const MOST_BLANKS = 20;
export const MOST_SEED = 9999;
/** Units of a state, or elements along an axis, that a sheet shows of more. */
export const MOST_UNITS = 4;

export interface Settings {
  kinds: Kind[];
  count: number;
  /** Which of the possible blanks: the same sheet for the same seed. */
  seed: number;
  paper: (typeof PAPERS)[number];
  /** The answer key in place of the sheet. */
  key: boolean;
  /** Layer and direction, by the end of its parameters' names; null: the one that the film shows first. */
  chain: string | null;
  /** First and last of the time steps (of a graph: of the operations) that are shown, from 1; null: the last ones. */
  steps: [number, number] | null;
  /** The units that are shown of a large state, from 0; null: the first ones. */
  units: number[] | null;
}

export const DEFAULT: Settings = { kinds: [...KINDS], count: 8, seed: 1, paper: "a4", key: false, chain: null, steps: null, units: null };

const whole = (value: unknown, least: number, most: number, otherwise: number): number =>
  Number.isInteger(value) ? Math.max(least, Math.min(most, value as number)) : otherwise;

const MOST_PLACE = 1_000_000;

/** Two whole numbers in order. */
function range(value: unknown): [number, number] | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [from, to] = value.map((one) => whole(one, 1, MOST_PLACE, 0)) as [number, number];
  return from > 0 && to >= from ? [from, to] : null;
}

/** Different whole numbers, ascending, a few. */
function few(value: unknown): number[] | null {
  if (!Array.isArray(value) || value.length === 0 || !value.every((one) => Number.isInteger(one) && one >= 0 && one < MOST_PLACE)) return null;
  return [...new Set(value as number[])].slice(0, MOST_UNITS).sort((one, other) => one - other);
}

/** Settings out of an address that anybody may have written: what does not fit is as it is at first. */
export function readSettings(payload: Record<string, unknown> | null): Settings {
  const { kinds, count, seed, paper, key, chain, steps, units } = payload ?? {};
  const known = Array.isArray(kinds) ? KINDS.filter((kind) => kinds.includes(kind)) : [];
  return {
    kinds: known.length > 0 ? known : DEFAULT.kinds,
    count: whole(count, 1, MOST_BLANKS, DEFAULT.count),
    seed: whole(seed, 0, MOST_SEED, DEFAULT.seed),
    paper: PAPERS.find((one) => one === paper) ?? DEFAULT.paper,
    key: key === true,
    chain: typeof chain === "string" && /^l\d{1,2}(_reverse)?$/.test(chain) ? chain : null,
    steps: range(steps),
    units: few(units),
  };
}

/** The address of a worksheet of the film that `session` shows. */
export function sheetAddress(route: Route, session: Session, notation: Notation, settings: Settings = DEFAULT): string {
  const { program, edits } = route.run || route.trace || route.link ? filmOf(route, session) : route;
  const imported = program !== null && !["network", "expression"].includes(program.kind); // a graph is too long for an address
  const view = { ...NO_VIEW, row: Math.max(0, session.example) || null, notation: isUsual(notation) ? null : notation };
  return formatRoute({ ...route, page: "worksheet", link: null, ...(imported ? { trace: route.trace ?? session.trace!.id, program: null } : { program }), edits, view, payload: { ...settings, chain: settings.chain ?? session.chain } });
}
