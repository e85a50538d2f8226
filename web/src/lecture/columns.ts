/** Which time steps a lecture shows: few enough to be read from the last row. */
import type { NetworkGrid } from "../model/network";

export const mostColumns = (cell: NetworkGrid["cell"]): number => (cell === "lstm" ? 4 : 6); // c stands beside h

/** The chosen steps; else as many as fit, with those in question in the middle as far as the ends allow. Ascending. */
export function columnsShown(steps: number, most: number, spot: readonly number[], chosen: readonly number[] | null): number[] {
  const fitting = chosen?.filter((t) => t <= steps).slice(0, most);
  if (fitting && fitting.length > 0) return fitting;
  const count = Math.min(steps, most);
  const middle = spot.length > 0 ? (spot[0]! + spot.at(-1)!) / 2 : 1;
  const first = Math.max(1, Math.min(steps - count + 1, Math.round(middle - (count - 1) / 2)));
  return Array.from({ length: count }, (_, k) => first + k);
}

/** The steps that are not shown, as `1…3, 9…12`; "" when all are. In TeX. */
export function leftOut(steps: number, shown: readonly number[]): string {
  const spans: [number, number][] = [];
  for (let t = 1; t <= steps; t++) {
    if (shown.includes(t)) continue;
    const last = spans.at(-1);
    if (last && last[1] === t - 1) last[1] = t;
    else spans.push([t, t]);
  }
  return spans.map(([from, to]) => (from === to ? String(from) : to === from + 1 ? `${from},\\,${to}` : `${from}\\ldots ${to}`)).join(",\\,");
}

/** `1, 4-6` as whole numbers from `first` to `last`, at most so many; null for nothing written, undefined for what cannot be read or does not fit. */
export function readColumns(text: string, last: number, most: number, first = 1): number[] | null | undefined {
  if (text.trim() === "") return null;
  const found = new Set<number>();
  for (const part of text.split(/[,，、;\s]+/).filter(Boolean)) {
    const range = /^(\d{1,4})(?:[-–…](\d{1,4}))?$/.exec(part);
    if (!range) return undefined;
    const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
    if (from < first || to > last || to < from) return undefined;
    for (let t = from; t <= to; t++) found.add(t);
  }
  return found.size > 0 && found.size <= most ? [...found].sort((one, other) => one - other) : undefined;
}

export const writeColumns = (columns: readonly number[] | null): string => (columns ?? []).join(", ");
