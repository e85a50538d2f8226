import { describe, expect, it } from "vitest";
import { directionOf, neighbour } from "./neighbours";
import type { Placed } from "./layout";
import type { Scene } from "./scene";
import { Spatial } from "./spatial";
import { fit, overflows, pan, reveal, seen, zoom } from "./view";

const stage = { width: 800, height: 600 };
const drawing = { width: 4000, height: 1000 };

describe("a view", () => {
  it("fits all of a drawing in the middle, never magnified", () => {
    expect(fit(drawing, stage)).toEqual({ k: 0.194, x: 12, y: 203 });
    expect(fit({ width: 100, height: 100 }, stage)).toEqual({ k: 1, x: 350, y: 250 });
    expect(fit(drawing, stage, 0.62)).toMatchObject({ k: 0.62, x: 0 });
  });

  it("keeps what lies under the pointer there when it is zoomed", () => {
    const view = { x: -500, y: -100, k: 0.5 };
    const at = { x: 300, y: 250 };
    const world = { x: (at.x - view.x) / view.k, y: (at.y - view.y) / view.k };
    for (const factor of [1.3, 2, 1 / 1.3]) {
      const now = zoom(view, factor, at, drawing, stage);
      expect(world.x * now.k + now.x).toBeCloseTo(at.x, 9);
      expect(world.y * now.k + now.y).toBeCloseTo(at.y, 9);
    }
    expect(zoom(view, 1e9, at, drawing, stage).k).toBe(2);
    expect(zoom(view, 1e-9, at, drawing, stage).k).toBe(0.194);
  });

  it("never loses the drawing", () => {
    for (const by of [{ x: 1e6, y: 1e6 }, { x: -1e6, y: -1e6 }]) {
      const view = pan({ x: 0, y: 0, k: 0.5 }, by, drawing, stage);
      const rect = seen(view, stage);
      expect(Math.min(rect.right, drawing.width) - Math.max(rect.left, 0)).toBeGreaterThanOrEqual(160);
      expect(Math.min(rect.bottom, drawing.height) - Math.max(rect.top, 0)).toBeGreaterThanOrEqual(160);
    }
  });

  it("goes to a box that is out of sight, and stays where one is in sight", () => {
    const view = { x: 0, y: 0, k: 1 };
    expect(reveal(view, { x: 10, y: 10, width: 100, height: 50 }, stage, drawing)).toBe(view);
    const far = { x: 3000, y: 700, width: 100, height: 50 };
    const now = reveal(view, far, stage, drawing);
    expect([(far.x + 50) * now.k + now.x, (far.y + 25) * now.k + now.y]).toEqual([400, 300]);
  });

  it("knows whether there is more to see", () => {
    expect(overflows({ x: 0, y: 0, k: 1 }, drawing, stage)).toBe(true);
    expect(overflows(fit(drawing, stage), drawing, stage)).toBe(false);
  });
});

describe("what is in view, and under the pointer", () => {
  const boxes = Array.from({ length: 500 }, (_, i) => ({ x: (i % 50) * 150, y: Math.floor(i / 50) * 120, width: 100, height: 80 }));
  const spatial = new Spatial(boxes, 7500, 1200);

  it("are the boxes that a look at each of them finds", () => {
    for (const rect of [{ left: 0, top: 0, right: 700, bottom: 500 }, { left: 3100, top: 250, right: 3120, bottom: 260 }, { left: -900, top: -900, right: 90_000, bottom: 90_000 }, { left: 120, top: 90, right: 130, bottom: 100 }]) {
      const expected = boxes.flatMap((box, i) => (box.x <= rect.right && box.x + box.width >= rect.left && box.y <= rect.bottom && box.y + box.height >= rect.top ? [i] : []));
      expect(spatial.within(rect)).toEqual(expected);
    }
  });

  it("is the box hit, or none between them", () => {
    boxes.forEach((box, i) => expect(spatial.at(box.x + 50, box.y + 40)).toBe(i));
    expect(spatial.at(125, 40)).toBe(-1);
    expect(spatial.at(-50, -50)).toBe(-1);
    expect(spatial.at(103, 40, 4)).toBe(0);
  });
});

describe("arrow keys on a card", () => {
  const item = { width: 100, height: 50 };
  const scene = { items: [item, item, item, item], lines: [{ from: 0, to: 2 }, { from: 1, to: 2 }, { from: 2, to: 3 }] } as unknown as Scene;
  const placed = { cards: [{ x: 0, y: 0 }, { x: 10, y: 100 }, { x: 200, y: 80 }, { x: 400, y: 80 }] } as unknown as Placed;

  it("follow the edges, and go up and down beside each other", () => {
    const go = (from: number, key: string): number => neighbour(scene, placed, from, directionOf(key)!);
    expect(go(0, "ArrowRight")).toBe(2);
    expect(go(2, "ArrowRight")).toBe(3);
    expect(go(3, "ArrowRight")).toBe(3);
    expect(go(2, "ArrowLeft")).toBe(1); // the nearer of its two inputs
    expect(go(1, "ArrowUp")).toBe(0);
    expect(go(0, "ArrowDown")).toBe(1);
    expect(go(0, "ArrowUp")).toBe(0);
    expect(directionOf("Enter")).toBeNull();
  });
});
