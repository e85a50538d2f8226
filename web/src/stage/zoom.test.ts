import { describe, expect, it } from "vitest";
import { columnX, contentWidth, indentAt, layoutOf, TRAY_NAMES, trayWidth } from "./layout";
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
    const size = (width: number, height: number): number => opening({ width: 1000, height: 600 }, { width, height });
    expect([600, 480, 300].map((height) => size(1000, height))).toEqual([1, 0.8, 0.7]);
    const room = 640; // of a window of 1440 × 900, the tray folded
    for (const [layers, directions] of [[4, 1], [2, 2]] as const) {
      const four = layoutOf({ hidden: 4, cell: "gru", slim: false, layers, directions });
      const zoom = opening({ width: 800, height: four.height }, { width: 880, height: room });
      expect(zoom * four.height).toBeLessThanOrEqual(room);
      expect(zoom * four.font).toBeGreaterThan(9);
    }
  });

  it("shows all columns where they nearly fit, and a large window's as large as is read from afar", () => {
    const size = (width: number, height: number): number => opening({ width: 1000, height: 600 }, { width, height });
    expect(size(940, 900)).toBe(0.94);
    for (const cell of ["rnn", "lstm"] as const) {
      const width = contentWidth(layoutOf({ hidden: 4, cell, slim: false }), 5); // five letters, on the stage of a window of 1366
      expect(opening({ width, height: 400 }, { width: 806, height: 500 })).toBe(806 / width);
    }
    expect(size(600, 900)).toBe(1); // a part of a long sequence, and no larger
    expect([size(1300, 900), size(1300, 660), size(2200, 1800)]).toEqual([1.3, 1.1, 1.5]);
  });

  it("leaves the tray the room for its names, whatever the zoom", () => {
    const base = layoutOf({ hidden: 4, cell: "rnn", slim: false });
    for (const zoom of [0.6, 0.75, 0.9, 1]) {
      const moved = layoutOf({ hidden: 4, cell: "rnn", slim: false, indent: indentAt(base, zoom) });
      expect(moved.x1 * zoom - trayWidth(moved.pitch * zoom) / 2).toBeGreaterThan(TRAY_NAMES - 0.01);
    }
    expect(indentAt(base, 1)).toBe(0);
  });

  it("has lower rows where the stage is low, so that a column of a laptop's window is seen whole", () => {
    const low = layoutOf({ hidden: 4, cell: "rnn", slim: false, low: true });
    for (const room of [345, 324, 246]) {
      const zoom = opening({ width: 800, height: low.height }, { width: 880, height: room });
      expect(zoom * (low.height - 4)).toBeLessThanOrEqual(room);
      expect(zoom * low.font).toBeGreaterThan(9);
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
