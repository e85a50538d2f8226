/** Cards that no line joins to others stand on shelves above the drawing. */
import type { Placed } from "./layout";
import type { Point } from "./polyline";
import { apart, type Scene } from "./scene";

const GAP = 24;

/** The drawing moved down by the room of its shelves, and the cards on these. */
export function shelve(scene: Scene, placed: Placed): Placed {
  const shelved = apart(scene);
  const list = [...shelved];
  if (list.length === 0) return placed;
  const area = list.reduce((sum, i) => sum + (scene.items[i]!.width + GAP) * (scene.items[i]!.height + GAP), 0);
  const wide = Math.max(placed.width, Math.sqrt(area * 2));
  const cards: Point[] = [...placed.cards];
  let [x, y, tall, width] = [GAP, GAP, 0, placed.width];
  for (const i of list) {
    const item = scene.items[i]!;
    if (x > GAP && x + item.width + GAP > wide) [x, y, tall] = [GAP, y + tall + GAP, 0];
    cards[i] = { x, y };
    x += item.width + GAP;
    width = Math.max(width, x);
    tall = Math.max(tall, item.height);
  }
  const down = y + tall + GAP;
  scene.items.forEach((_, i) => {
    if (!shelved.has(i)) cards[i] = { x: cards[i]!.x, y: cards[i]!.y + down };
  });
  return {
    ...placed, width, height: placed.height + down, cards,
    lines: placed.lines.map((points) => points.map((point) => ({ x: point.x, y: point.y + down }))),
    frames: new Map([...placed.frames].map(([path, box]) => [path, { ...box, y: box.y + down }])),
  };
}
