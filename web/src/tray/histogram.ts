/** Histograms of the tray: values on a linear axis, gradients and changes by their magnitude on a logarithmic one. Exact zeros and what is not finite are counted apart. */

export interface Histogram {
  /** Edges of the bins, one more than there are counts: numbers, or powers of ten where `log`. */
  edges: number[];
  counts: number[];
  log: boolean;
  size: number;
  zeros: number;
  nonfinite: number;
  /** The smallest and the largest finite number (of magnitudes: without zeros); null where there is none. */
  low: number | null;
  high: number | null;
  median: number | null;
}

/** Powers of ten that hold every magnitude. */
export interface Decades {
  low: number;
  high: number;
}

const BINS = 20;
const PER_DECADE = 4;
const MOST_DECADES = 24;

/** Of all numbers but exact zeros (which have no magnitude) and what is not finite; null where nothing is left. */
export function decadesOf(lists: readonly ArrayLike<number>[]): Decades | null {
  let [low, high] = [Infinity, 0];
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      const size = Math.abs(list[i]!);
      if (size === 0 || !Number.isFinite(size)) continue;
      low = Math.min(low, size);
      high = Math.max(high, size);
    }
  }
  if (high === 0) return null;
  const top = Math.floor(Math.log10(high)) + 1;
  return { low: Math.max(Math.floor(Math.log10(low)), top - MOST_DECADES), high: top };
}

/** The largest finite magnitude; 0 where there is none. */
export function largestOf(lists: readonly ArrayLike<number>[]): number {
  let most = 0;
  for (const list of lists) for (let i = 0; i < list.length; i++) if (Number.isFinite(list[i]!)) most = Math.max(most, Math.abs(list[i]!));
  return most;
}

/** From -limit to limit, which the numbers do not exceed. */
export function linearHistogram(numbers: ArrayLike<number>, limit: number): Histogram {
  const edges = Array.from({ length: BINS + 1 }, (_, k) => -limit + (2 * limit * k) / BINS);
  return count(numbers, edges, false, (x) => Math.floor(((x + limit) / (2 * limit || 1)) * BINS));
}

/** Magnitudes between two powers of ten; smaller ones fall into the first bin. */
export function magnitudeHistogram(numbers: ArrayLike<number>, { low, high }: Decades): Histogram {
  const bins = (high - low) * PER_DECADE;
  const edges = Array.from({ length: bins + 1 }, (_, k) => 10 ** (low + k / PER_DECADE));
  return count(numbers, edges, true, (x) => Math.floor((Math.log10(x) - low) * PER_DECADE));
}

function count(numbers: ArrayLike<number>, edges: number[], log: boolean, binOf: (x: number) => number): Histogram {
  const counts = new Array<number>(edges.length - 1).fill(0);
  const counted: number[] = [];
  let [zeros, nonfinite] = [0, 0];
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i]!;
    if (!Number.isFinite(x)) {
      nonfinite++;
      continue;
    }
    if (x === 0) zeros++;
    if (log && x === 0) continue;
    const size = log ? Math.abs(x) : x;
    counted.push(size);
    counts[Math.max(0, Math.min(counts.length - 1, binOf(size)))]!++;
  }
  counted.sort((a, b) => a - b);
  const middle = counted.length >> 1;
  const median = counted.length === 0 ? null : counted.length % 2 ? counted[middle]! : (counted[middle - 1]! + counted[middle]!) / 2;
  return { edges, counts, log, size: numbers.length, zeros, nonfinite, low: counted[0] ?? null, high: counted.at(-1) ?? null, median };
}

/** The outline of the bars, as one path in a box of `width` by `height`; `most` fills the height. */
export function barsOf({ counts }: Histogram, width: number, height: number, most: number): string {
  const each = width / counts.length;
  let path = "";
  counts.forEach((n, k) => {
    if (n === 0) return;
    const tall = Math.max(1, (n / most) * height);
    path += `M${(k * each + 0.5).toFixed(2)} ${height}v${(-tall).toFixed(2)}h${Math.max(1, each - 1).toFixed(2)}v${tall.toFixed(2)}z`;
  });
  return path;
}

/** Where a number stands on the axis, 0 to 1; null outside of it. */
export function placeOf({ edges, log }: Pick<Histogram, "edges" | "log">, x: number): number | null {
  const [from, to] = [edges[0]!, edges.at(-1)!];
  const place = log ? (Math.log10(x) - Math.log10(from)) / (Math.log10(to) - Math.log10(from)) : (x - from) / (to - from);
  return place >= 0 && place <= 1 ? place : null;
}
