/** A logarithmic strip: whole powers of ten from the smallest to the largest positive number. */

export interface LogScale {
  /** Exponents of the lowest and the highest line. */
  low: number;
  high: number;
}

/** At most `decades` decades below the largest; null when nothing is positive and finite. */
export function logScale(values: readonly number[], decades = 12): LogScale | null {
  const positive = values.filter((v) => v > 0 && Number.isFinite(v));
  if (positive.length === 0) return null;
  const high = Math.ceil(Math.log10(Math.max(...positive)));
  const low = Math.min(high - 1, Math.floor(Math.log10(Math.min(...positive))));
  return { low: Math.max(low, high - decades), high };
}

/** The points as the d of a path, which breaks where there is no place. */
export function linked(points: readonly { x: number; y: number | null }[]): string {
  return points.map(({ x, y }, i) => (y === null ? "" : `${i > 0 && points[i - 1]!.y !== null ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`)).join("");
}

/** 0 at the lowest line, 1 at the highest; clamped. */
export function logPlace({ low, high }: LogScale, value: number): number {
  return Math.min(1, Math.max(0, (Math.log10(value) - low) / (high - low)));
}
