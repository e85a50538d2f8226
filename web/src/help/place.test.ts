import { describe, expect, it } from "vitest";
import { around, overlap, place, type Box } from "./place";

const WINDOW = { width: 1440, height: 900 };
const CALLOUT = { width: 320, height: 180 };

describe("the callout of the tour", () => {
  it("stands beside its anchor, wherever that is, and inside the window", () => {
    for (let left = 0; left <= 1300; left += 65) {
      for (let top = 0; top <= 800; top += 50) {
        const anchor: Box = { left, top, width: 140, height: 100 };
        const found = place(anchor, CALLOUT, WINDOW);
        expect(found.side).not.toBeNull();
        expect(overlap({ ...found, ...CALLOUT }, anchor)).toBe(0);
        expect([found.left >= 0, found.top >= 0, found.left + CALLOUT.width <= WINDOW.width, found.top + CALLOUT.height <= WINDOW.height]).toEqual([true, true, true, true]);
      }
    }
  });

  it("goes above a panel along the foot, and left of one along the right", () => {
    expect(place({ left: 0, top: 640, width: 1440, height: 260 }, CALLOUT, WINDOW).side).toBe("above");
    expect(place({ left: 1104, top: 48, width: 336, height: 540 }, CALLOUT, WINDOW).side).toBe("left");
  });

  it("stands in the corner that hides least where there is room on no side", () => {
    const anchor = { left: 0, top: 100, width: 1440, height: 800 };
    const found = place(anchor, CALLOUT, WINDOW);
    expect([found.side, found.top]).toEqual([null, 12]);
  });
});

describe("around", () => {
  it("holds all that can be seen", () => {
    expect(around([{ left: 10, top: 10, width: 5, height: 5 }, { left: 30, top: 0, width: 10, height: 4 }, { left: 0, top: 0, width: 0, height: 0 }])).toEqual({ left: 10, top: 0, width: 30, height: 15 });
    expect(around([])).toBeNull();
  });
});
