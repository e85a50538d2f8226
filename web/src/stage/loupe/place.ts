/** Where the loupe stands: beside what it is held over, which stays in sight. Pixels of the window. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Size {
  width: number;
  height: number;
}

export type Side = "right" | "left" | "above" | "below";

export const EDGE = 8; // px from the edge of the window
const AWAY = 14; // px from what is kept in sight
const ABOVE = 56; // px of a card beside a lane that are higher than the lane's middle

export const around = (one: Box, other: Box): Box => ({
  left: Math.min(one.left, other.left), top: Math.min(one.top, other.top), right: Math.max(one.right, other.right), bottom: Math.max(one.bottom, other.bottom),
});

/** The top left corner of a card at the first of `sides` where it fits beside the first of `boxes`, else beside the next; where it fits nowhere, at the side with most room. */
export function besides(boxes: readonly Box[], card: Size, window: Size, sides: readonly Side[]): { x: number; y: number } {
  const within = (at: number, size: number, all: number): number => Math.max(EDGE, Math.min(all - size - EDGE, at));
  const room = (box: Box, side: Side): number =>
    ({ right: window.width - box.right - card.width, left: box.left - card.width, below: window.height - box.bottom - card.height, above: box.top - card.height })[side] - AWAY - EDGE;
  const at = (box: Box, side: Side): { x: number; y: number } => ({
    x: within(side === "right" ? box.right + AWAY : side === "left" ? box.left - AWAY - card.width : (box.left + box.right - card.width) / 2, card.width, window.width),
    y: within(side === "below" ? box.bottom + AWAY : side === "above" ? box.top - AWAY - card.height : (box.top + box.bottom) / 2 - ABOVE, card.height, window.height),
  });
  for (const box of boxes) {
    const side = sides.find((one) => room(box, one) >= 0);
    if (side) return at(box, side);
  }
  const last = boxes.at(-1)!;
  return at(last, sides.reduce((best, side) => (room(last, side) > room(last, best) ? side : best)));
}
