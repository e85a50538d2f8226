/** Where a callout stands: beside what it points at, never over it, inside the window. Pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Placed {
  left: number;
  top: number;
  /** On which side of the anchor it stands; null: there is room on none, and it stands in the corner where it covers least. */
  side: "right" | "left" | "below" | "above" | null;
}

const GAP = 16; // between the anchor's ring and the callout
const EDGE = 12; // to the edge of the window

const between = (low: number, value: number, high: number): number => Math.max(low, Math.min(high, value));

/** The area that two boxes share. */
export function overlap(one: Box, other: Box): number {
  const width = Math.min(one.left + one.width, other.left + other.width) - Math.max(one.left, other.left);
  const height = Math.min(one.top + one.height, other.top + other.height) - Math.max(one.top, other.top);
  return Math.max(0, width) * Math.max(0, height);
}

/** The smallest box around all of `boxes`; null around none. */
export function around(boxes: readonly Box[]): Box | null {
  const seen = boxes.filter(({ width, height }) => width > 0 && height > 0);
  if (seen.length === 0) return null;
  const left = Math.min(...seen.map((box) => box.left));
  const top = Math.min(...seen.map((box) => box.top));
  return { left, top, width: Math.max(...seen.map((box) => box.left + box.width)) - left, height: Math.max(...seen.map((box) => box.top + box.height)) - top };
}

/** `window` is the part of the page that can be seen. */
export function place(anchor: Box, callout: { width: number; height: number }, window: { width: number; height: number }): Placed {
  const { width, height } = callout;
  const most = { left: window.width - width - EDGE, top: window.height - height - EDGE };
  const alongX = between(EDGE, anchor.left + anchor.width / 2 - width / 2, most.left);
  const alongY = between(EDGE, anchor.top + anchor.height / 2 - height / 2, most.top);
  const sides: Placed[] = [
    { side: "right", left: anchor.left + anchor.width + GAP, top: alongY },
    { side: "left", left: anchor.left - GAP - width, top: alongY },
    { side: "below", left: alongX, top: anchor.top + anchor.height + GAP },
    { side: "above", left: alongX, top: anchor.top - GAP - height },
  ];
  const fits = sides.find(({ left, top }) => left >= EDGE && left <= most.left && top >= EDGE && top <= most.top);
  if (fits) return fits;
  const corners = [most.left, EDGE].flatMap((left) => [most.top, EDGE].map((top) => ({ side: null, left, top })));
  return corners.reduce((best, corner) => (overlap({ ...corner, width, height }, anchor) < overlap({ ...best, width, height }, anchor) ? corner : best));
}
