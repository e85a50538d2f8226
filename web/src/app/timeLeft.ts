/** How long work goes on, as far as anybody can tell. */

const SOON = 1; // s in which a pace is no pace yet
const LITTLE = 0.01; // of the work, likewise

/** Seconds until all is done, at the pace of the first `share` (0 to 1), which took `gone` seconds; null before there is a pace. */
export function secondsLeft(share: number | null, gone: number): number | null {
  return share === null || share < LITTLE || gone < SOON ? null : (gone * (1 - Math.min(1, share))) / share;
}

/** A message of the catalogue and its parameters: seconds, from a minute and a half on minutes, from an hour and a half on hours. */
export function timeLeft(seconds: number): [string, Record<string, number>] {
  if (seconds < 90) return ["state.left", { seconds: Math.max(1, Math.round(seconds)) }];
  return seconds < 5400 ? ["state.left_minutes", { minutes: Math.round(seconds / 60) }] : ["state.left_hours", { hours: Math.round(seconds / 360) / 10 }];
}
