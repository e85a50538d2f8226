/** A pixel in 0..1 as ink, a colour of CSS: white paper is 0. */
export const inked = (pixel: number): string => `color-mix(in srgb, var(--ink-1) ${Math.round(Math.min(1, Math.max(0, pixel)) * 100)}%, var(--surface))`;
