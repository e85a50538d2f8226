import { describe, expect, it } from "vitest";
import { besides, EDGE, type Box, type Side } from "./place";

const CARD = { width: 344, height: 320 };
const WIDE: Side[] = ["right", "left", "below", "above"];

function covers({ x, y }: { x: number; y: number }, box: Box): boolean {
  return x < box.right && x + CARD.width > box.left && y < box.bottom && y + CARD.height > box.top;
}

describe("the loupe", () => {
  it("covers neither the lane nor its tile wherever they are in a window, and keeps to that", () => {
    for (const window of [{ width: 1440, height: 900 }, { width: 1024, height: 768 }, { width: 700, height: 800 }]) {
      for (let left = 0; left <= window.width - 72; left += 36) {
        for (let top = 0; top <= window.height - 45; top += 45) {
          const box = { left, top, right: left + 72, bottom: top + 45 };
          const at = besides([box], CARD, window, WIDE);
          expect([left, top, covers(at, box)]).toEqual([left, top, false]);
          expect(at.x >= EDGE && at.x + CARD.width <= window.width - EDGE && at.y >= EDGE && at.y + CARD.height <= window.height - EDGE).toBe(true);
        }
      }
    }
  });

  it("keeps clear of a whole matrix where it can, else of the number alone", () => {
    const number = { left: 300, top: 300, right: 320, bottom: 320 };
    const matrix = { left: 200, top: 250, right: 420, bottom: 400 };
    expect(besides([matrix, number], CARD, { width: 1440, height: 900 }, WIDE).x).toBeGreaterThan(matrix.right);
    const vast = { left: 10, top: 10, right: 990, bottom: 690 };
    const at = besides([vast, number], CARD, { width: 1000, height: 700 }, WIDE);
    expect([covers(at, vast), covers(at, number)]).toEqual([true, false]);
  });

  it("takes the side with most room where it fits nowhere", () => {
    expect(besides([{ left: 300, top: 150, right: 372, bottom: 190 }], CARD, { width: 600, height: 360 }, WIDE).x).toBe(EDGE);
  });
});
