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

export interface Settings {
  kinds: Kind[];
  count: number;
  /** Which of the possible blanks: the same sheet for the same seed. */
  seed: number;
  paper: (typeof PAPERS)[number];
  /** The answer key in place of the sheet. */
  key: boolean;
}

export const DEFAULT: Settings = { kinds: [...KINDS], count: 8, seed: 1, paper: "a4", key: false };

const whole = (value: unknown, least: number, most: number, otherwise: number): number =>
  Number.isInteger(value) ? Math.max(least, Math.min(most, value as number)) : otherwise;

/** Settings out of an address that anybody may have written: what does not fit is as it is at first. */
export function readSettings(payload: Record<string, unknown> | null): Settings {
  const { kinds, count, seed, paper, key } = payload ?? {};
  const known = Array.isArray(kinds) ? KINDS.filter((kind) => kinds.includes(kind)) : [];
  return {
    kinds: known.length > 0 ? known : DEFAULT.kinds,
    count: whole(count, 1, MOST_BLANKS, DEFAULT.count),
    seed: whole(seed, 0, MOST_SEED, DEFAULT.seed),
    paper: PAPERS.find((one) => one === paper) ?? DEFAULT.paper,
    key: key === true,
  };
}

/** The address of a worksheet of the film that `session` shows. */
export function sheetAddress(route: Route, session: Session, notation: Notation, settings: Settings = DEFAULT): string {
  const { program, edits } = route.run || route.trace || route.link ? filmOf(route, session) : route;
  const view = { ...NO_VIEW, row: session.example || null, notation: isUsual(notation) ? null : notation };
  return formatRoute({ ...route, page: "worksheet", link: null, program, edits, view, payload: { ...settings } });
}
