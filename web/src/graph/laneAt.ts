/** Which gradient lane of a card is at a point: for cards that are painted, not elements of the page. */
import { CARD, TILE, type Card } from "./graph";
import type { Box } from "./layout";

const SLACK = 4; // px around a lane that count as it

/** `x`, `y` from the card's corner. The lane's element, by its position in the node's numbers, and its box from there; null where there is no lane. */
export function laneAt({ node, width, rows, columns }: Card, x: number, y: number): { flat: number; box: Box } | null {
  if (node.gradient === null) return null;
  const left = (width - (columns * (TILE.width + TILE.gap) - TILE.gap)) / 2;
  const high = TILE.height + TILE.lane + TILE.gap;
  const [row, column] = [Math.floor((y - CARD.head) / high), Math.floor((x - left) / (TILE.width + TILE.gap))];
  if (row < 0 || row >= rows || column < 0 || column >= columns) return null;
  const box = { x: left + column * (TILE.width + TILE.gap), y: CARD.head + row * high + TILE.height + 1, width: TILE.width, height: TILE.lane };
  if (y < box.y - SLACK || y > box.y + box.height + SLACK || x > box.x + box.width) return null;
  const all = node.shape.length > 1 ? node.shape.at(-1)! : 1;
  return { flat: row * all + column, box };
}
