/** How far a training is, and how long it will take. */
export interface Sample {
  /** Milliseconds. */
  at: number;
  step: number;
}

/** Share of the steps asked for that are done, 0..1; `from` is the step at which they were asked for. */
export function share(from: number, step: number, requested: number): number {
  return requested <= from ? 1 : Math.min(1, Math.max(0, (step - from) / (requested - from)));
}

/** Seconds left at the pace between the first and the last sample; null before there is a pace. */
export function secondsLeft(samples: readonly Sample[], requested: number): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.step <= first.step || last.at <= first.at) return null;
  const perStep = (last.at - first.at) / (last.step - first.step) / 1000;
  return Math.max(0, (requested - last.step) * perStep);
}
