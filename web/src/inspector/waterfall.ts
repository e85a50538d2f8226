// Where the bars of a waterfall stand: each row begins where the rows before it ended.

export interface Bar {
  /** In 0..1 of the width. */
  from: number;
  to: number;
}

export interface Waterfall {
  zero: number;
  bars: (Bar | null)[];
  sum: Bar;
}

/** The geometry of signed values (null where a row does not count yet). Non-finite values get no bar. */
export function waterfall(values: readonly (number | null)[]): Waterfall {
  const drawn = values.map((value) => (value !== null && Number.isFinite(value) ? value : null));
  let run = 0;
  let low = 0;
  let high = 0;
  for (const value of drawn) {
    run += value ?? 0;
    low = Math.min(low, run);
    high = Math.max(high, run);
  }
  const extent = high - low;
  const scale = (v: number): number => (extent === 0 ? 1 : (v - low) / extent);
  run = 0;
  const bars = drawn.map((value) => {
    if (value === null) return null;
    const from = scale(run);
    run += value;
    return { from, to: scale(run) };
  });
  return { zero: scale(0), bars, sum: { from: scale(0), to: scale(run) } };
}
