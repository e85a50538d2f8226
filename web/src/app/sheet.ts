/** The heights of the sheet that explains a number on a phone. */

export const SIZES = ["peek", "half", "full"] as const;
export type SheetSize = (typeof SIZES)[number];

const PEEK = 92; // px: handle, name and number
const ABOVE = 650; // px: top bar, stage and transport, which a half sheet leaves in sight where the window is high enough
const LEAST = 160;
const TOP = 56; // px of the page that a full sheet leaves

/** How high the sheet stands, in px. */
export function heightOf(size: SheetSize, window: number): number {
  return size === "peek" ? PEEK : size === "half" ? Math.max(LEAST, window - ABOVE) : Math.max(LEAST, window - TOP);
}

/** Where a sheet that was let go of at `height` comes to rest. */
export function nearest(height: number, window: number): SheetSize {
  return SIZES.reduce((best, size) => (Math.abs(heightOf(size, window) - height) < Math.abs(heightOf(best, window) - height) ? size : best));
}

/** The next size up (1) or down (-1); the ends stay. */
export function beyond(size: SheetSize, direction: 1 | -1): SheetSize {
  return SIZES[Math.max(0, Math.min(SIZES.length - 1, SIZES.indexOf(size) + direction))]!;
}
