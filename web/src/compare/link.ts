/** What a link to a comparison holds beside the moment: its films, which of them is followed, and the scale. */
import type { Program } from "../api/types";
import { formatRoute } from "../app/routing";
import { readProgram } from "../share/programs";
import type { Measure } from "./norms";
import { LEAST, MOST } from "./count";

/** A film: a program that makes it, or a stored trace (a what-if, say). */
export type Source = { program: Program } | { trace: string };

/** Panes above each other, so that their steps align, or beside each other, so that they are seen at once. */
export const LAYOUTS = ["stacked", "side"] as const;
export type Layout = (typeof LAYOUTS)[number];

export interface Payload {
  films: Source[];
  followed: number;
  measure: Measure;
  /** Left out: as this browser shows comparisons. */
  layout?: Layout;
}

function readSource(value: unknown): Source | null {
  if (typeof value !== "object" || value === null) return null;
  if ("trace" in value) return typeof value.trace === "string" && /^sha256:[0-9a-f]{64}$/.test(value.trace) ? { trace: value.trace } : null;
  const program = "program" in value ? readProgram(value.program) : null;
  return program?.kind === "network" ? { program } : null;
}

/** The payload of a link; null when it cannot be read. */
export function readComparison(value: Record<string, unknown>): Payload | null {
  if (!Array.isArray(value.films) || value.films.length < LEAST || value.films.length > MOST) return null;
  const films = value.films.map(readSource);
  if (films.some((film) => film === null)) return null;
  const followed = typeof value.followed === "number" && Number.isInteger(value.followed) && value.followed >= 0 && value.followed < films.length ? value.followed : 0;
  const layout = LAYOUTS.find((one) => one === value.layout);
  return { films: films as Source[], followed, measure: value.measure === "absolute" ? "absolute" : "share", ...(layout && { layout }) };
}

/** As a link holds it; what is as a comparison begins is left out. */
export function payloadOf({ films, followed, measure, layout }: Payload): Record<string, unknown> {
  return { films, ...(followed > 0 ? { followed } : {}), ...(measure === "share" ? {} : { measure }), ...(layout && { layout }) };
}

/** The address at which these films stand side by side. */
export function comparisonAddress(films: Source[]): string {
  return formatRoute({ page: "compare", payload: payloadOf({ films, followed: 0, measure: "share" }) });
}
