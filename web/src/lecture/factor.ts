import { times } from "../model/format";

/** A factor in at most five characters, so that it fits between two cards: ×0.33, ×12, ×.004. */
export function factorText(factor: number): string {
  if (!Number.isFinite(factor)) return times(factor);
  if (factor >= 999.5) return ">999";
  if (factor >= 9.995) return `×${factor.toFixed(factor >= 99.5 ? 0 : 1)}`;
  if (factor >= 0.0995 || factor === 0) return `×${factor === 0 ? "0" : factor.toFixed(2)}`;
  return factor < 0.0005 ? "<.001" : `×${factor.toFixed(3).slice(1)}`;
}
