/** What a check by finite differences says of a gradient: only as much as the difference quotient itself is good for. */
import type { Check } from "../api/types";

/** A number that the film has beside that of central differences, and by how much these may be off. */
export type Checked = Pick<Check, "gradient" | "finite_difference" | "difference" | "error">;

/** `unresolved`: the quotient's own error is not small beside the gradient, so that it can neither confirm nor refute it. */
export type Verdict = "agrees" | "differs" | "unresolved";

const MARGIN = 2; // an estimate of an error may be off by as much
const RESOLVED = 0.01; // of a gradient: what an error may be at most to say anything of it
const ROUNDED = 1e-12; // of a gradient: what both may be off by in any case

export function verdictOf({ gradient, finite_difference, difference, error }: Checked): Verdict {
  const size = Math.max(Math.abs(gradient), Math.abs(finite_difference));
  if (difference === 0 && error === 0) return "agrees"; // nothing depends on it, and both say so
  if (!(Math.abs(difference) <= MARGIN * error + ROUNDED * size)) return "differs";
  return error > RESOLVED * size ? "unresolved" : "agrees";
}
