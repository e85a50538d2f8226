/** Where the arrow keys lead from a card: right to what uses it, left to its inputs, up and down to the cards beside it. */
import type { Placed } from "./layout";
import type { Scene } from "./scene";

export type Direction = "left" | "right" | "up" | "down";

const KEYS: Record<string, Direction> = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };

export function directionOf(key: string): Direction | null {
  return KEYS[key] ?? null;
}

/** The item that a key leads to from item `i`; `i` itself where there is none. */
export function neighbour(scene: Scene, placed: Placed, i: number, direction: Direction): number {
  const middle = (j: number): number => placed.cards[j]!.y + scene.items[j]!.height / 2;
  const nearest = (list: number[]): number => list.reduce((best, j) => (best < 0 || Math.abs(middle(j) - middle(i)) < Math.abs(middle(best) - middle(i)) ? j : best), -1);
  if (direction === "right") return or(nearest(scene.lines.filter((line) => line.from === i).map((line) => line.to)), i);
  if (direction === "left") return or(nearest(scene.lines.filter((line) => line.to === i).map((line) => line.from)), i);
  const { x } = placed.cards[i]!;
  const { width } = scene.items[i]!;
  const overlap = scene.items.flatMap((item, j) => {
    const at = placed.cards[j]!;
    return j !== i && at.x < x + width && at.x + item.width > x && (direction === "down" ? middle(j) > middle(i) : middle(j) < middle(i)) ? [j] : [];
  });
  return or(nearest(overlap), i);
}

function or(found: number, otherwise: number): number {
  return found < 0 ? otherwise : found;
}
