/** All that is known of a run's steps so far, as it comes in: in any order, and again where it comes twice. */
import type { Observation, Progress } from "../../../api/runEvents";
import type { Validation } from "../../../api/types";

export class RunRecord {
  /** Steps that are known; of step k the numbers stand at k - 1. */
  length = 0;
  losses = new Float64Array(1024);
  norms = new Float64Array(1024);
  rates = new Float64Array(1024);
  readonly observations: Observation[] = [];
  readonly validations: Validation[] = [];
  /** How the network did before its first step, which no run measures; null: not known. */
  untrained: Validation | null = null;
  #smoothed = new Float64Array(1024);
  #smooth = 0;

  progress({ first, losses, gradient_norms: norms, learning_rates: rates }: Progress): void {
    const end = first - 1 + losses.length;
    this.#reserve(end);
    this.losses.set(losses, first - 1);
    this.norms.set(norms, first - 1);
    this.rates.set(rates, first - 1);
    this.#smooth = Math.min(this.#smooth, first - 1);
    this.length = Math.max(this.length, end);
  }

  observation(observation: Observation): void {
    put(this.observations, observation);
  }

  validation(validation: Validation): void {
    put(this.validations, validation);
  }

  /** The loss without most of its noise: of each step an exponential mean of those so far, whose weights add up to 1 from the first on. */
  smoothed(): Float64Array {
    for (let i = this.#smooth; i < this.length; i++) {
      // the mean's memory grows with what there is to remember, up to some 25 steps
      const weight = Math.max(1 / (i + 1), 0.04);
      const loss = this.losses[i]!;
      const before = i === 0 ? loss : this.#smoothed[i - 1]!;
      this.#smoothed[i] = Number.isFinite(loss) && Number.isFinite(before) ? before + weight * (loss - before) : Number.isFinite(before) ? before : loss;
    }
    this.#smooth = this.length;
    return this.#smoothed;
  }

  /** The observation of the step nearest to `step`; null before the first. */
  observed(step: number): Observation | null {
    return this.observations[nearestIndex(this.observations, step)] ?? null;
  }

  /** The validations, and before them that of the untrained network. */
  judged(): readonly Validation[] {
    return this.untrained ? [this.untrained, ...this.validations] : this.validations;
  }

  /** The last validation that is not after `step`. */
  validated(step: number): Validation | null {
    return this.judged().findLast((validation) => validation.step <= step) ?? null;
  }

  #reserve(count: number): void {
    if (count <= this.losses.length) return;
    const room = 2 ** Math.ceil(Math.log2(count));
    const grown = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(room);
      larger.set(old);
      return larger;
    };
    [this.losses, this.norms, this.rates, this.#smoothed] = [grown(this.losses), grown(this.norms), grown(this.rates), grown(this.#smoothed)];
  }
}

/** Puts what belongs to a step where it belongs, in place of what there is of this step. */
function put<Item extends { step: number }>(items: Item[], item: Item): void {
  let at = items.length;
  while (at > 0 && items[at - 1]!.step >= item.step) at--;
  items.splice(at, items[at]?.step === item.step ? 1 : 0, item);
}

/** The place of the item whose step is nearest; -1 where there is none. */
export function nearestIndex(items: readonly { step: number }[], step: number): number {
  let [low, high] = [0, items.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle]!.step < step) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && step - items[low - 1]!.step <= (items[low]?.step ?? Infinity) - step) return low - 1;
  return items.length === 0 ? -1 : low;
}

/** The norm of the gradient that the optimizer gets. */
export const clipped = (norm: number, most: number | null): number => (most === null || !(norm > most) ? norm : most);
