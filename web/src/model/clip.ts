/** Clipping by the norm of all gradients together, and what it comes to. */

export interface Clip {
  event: number;
  norm: number;
  maxNorm: number;
  coefficient: number;
}

/** `nothing`: the norm overflowed, so the coefficient is 0 and nothing is left. `no_number`: the norm is NaN, and with it all that is left. */
export type Outcome = "clipped" | "not_clipped" | "nothing" | "no_number";

export function outcomeOf({ norm, coefficient }: Clip): Outcome {
  if (Number.isNaN(norm) || Number.isNaN(coefficient)) return "no_number";
  if (norm === Infinity) return "nothing";
  return coefficient < 1 ? "clipped" : "not_clipped";
}
