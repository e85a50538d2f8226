import { describe, expect, it } from "vitest";
import { columnX, layoutOf } from "./layout";
import { cellAt, closes, fitting, LARGEST, opening, opens, scrollAfter, SMALLEST, STEP, within } from "./zoom";

const layout = layoutOf({ hidden: 4, cell: "gru", slim: false, layers: 2, directions: 2 });

describe("the size of the stage", () => {
  it("stays within its ends, and comes back to exactly its own", () => {
    expect(within(0.01)).toBe(SMALLEST);
    expect(within(100)).toBe(LARGEST);
    let zoom = 1;
    for (let i = 0; i < 4; i++) zoom = within(zoom * STEP);
    for (let i = 0; i < 4; i++) zoom = within(zoom / STEP);
    expect(zoom).toBe(1);
  });

  it("keeps what lies under the pointer where it is", () => {
    const place = (scroll: number, at: number, zoom: number): number => (scroll + at) / zoom;
    for (const [before, now] of [[1, 1.7], [2, 0.6], [0.5, 0.5]] as const) {
      const scroll = scrollAfter(300, 120, before, now);
      expect(place(scroll, 120, now)).toBeCloseTo(place(300, 120, before), 9);
    }
  });

  it("keeps it there, too, where the room before the first card grows", () => {
    const room = { before: 340, now: 90 };
    const scroll = scrollAfter(500, 200, 1, 2, room);
    expect((scroll + 200) / 2 - room.now).toBeCloseTo(500 + 200 - room.before, 9);
  });

  it("shows all of a drawing, never larger than it is", () => {
    expect(fitting({ width: 1000, height: 400 }, { width: 500, height: 400 })).toBe(0.5);
    expect(fitting({ width: 100, height: 40 }, { width: 500, height: 400 })).toBe(1);
    expect(fitting({ width: 30_000, height: 40 }, { width: 500, height: 400 })).toBe(SMALLEST);
  });

  it("opens with all of a column in view, and no smaller than its digits can be read", () => {
    expect([600, 480, 300].map((room) => opening(600, room))).toEqual([1, 0.8, 0.7]);
    const room = 640; // of a window of 1440 × 900, the tray folded
    for (const [layers, directions] of [[4, 1], [2, 2]] as const) {
      const four = layoutOf({ hidden: 4, cell: "gru", slim: false, layers, directions });
      const zoom = opening(four.height, room);
      expect(zoom * four.height).toBeLessThanOrEqual(room);
      expect(zoom * four.font).toBeGreaterThan(9);
    }
  });

  it("opens cells whose tiles pass 32 px and closes them at 32, with air between", () => {
    expect([32, 34, 36].map(opens)).toEqual([false, false, true]);
    expect([34, 32, 28].map(closes)).toEqual([false, true, true]);
  });

  it("finds the cell under a place", () => {
    const middle = (card: number): number => layout.cardTop + layout.shifts[card]! + layout.cardHeight / 2;
    for (const step of [1, 3]) for (const card of [0, 1, 2, 3]) expect(cellAt(layout, 5, columnX(layout, step) + 20, middle(card) - 30)).toEqual({ step, card });
    expect(cellAt(layout, 5, 0, 0).step).toBe(1);
    expect(cellAt(layout, 5, 1e6, 1e6)).toEqual({ step: 5, card: 0 });
  });
});
