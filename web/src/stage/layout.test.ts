import { describe, expect, it } from "vitest";
import { columnRange, columnX, contentWidth, layoutOf, rowTop, scrollToCard, scrollToColumn, stripLeft, visibleSteps } from "./layout";

const rnn4 = layoutOf({ hidden: 4, cell: "rnn", slim: false });

describe("the cell view's geometry", () => {
  it("has the measures of the design for hidden size 4", () => {
    expect([rnn4.pitch, rnn4.card, rnn4.strip, rnn4.tile, rnn4.row, rnn4.lane]).toEqual([140, 88, 72, 32, 47, 12]);
    expect([columnX(rnn4, 0), columnX(rnn4, 1), columnX(rnn4, 5)]).toEqual([76, 176, 736]);
    expect([rnn4.cardTop, rnn4.stateTop, rnn4.cardHeight, rnn4.inputTop]).toEqual([142, 152, 234, 412]); // the design's, less the 48 px band
    expect([rnn4.forwardY, rnn4.backwardY]).toEqual([152 + 47 + 16, 152 + 3 * 47 + 16]);
    expect(contentWidth(rnn4, 5)).toBeLessThanOrEqual(880);
  });

  it("puts c beside h for an LSTM, inside the card", () => {
    const lstm = layoutOf({ hidden: 4, cell: "lstm", slim: false });
    expect(lstm.strips).toBe(2);
    expect(stripLeft(lstm, 0)).toBeGreaterThan(-lstm.card / 2);
    expect(stripLeft(lstm, 1)).toBe(stripLeft(lstm, 0) + lstm.strip + lstm.gap);
    expect(stripLeft(lstm, 1) + lstm.strip).toBeLessThan(lstm.card / 2);
  });

  it("goes from digits to low tiles to a texture of rows of at most 6 px", () => {
    expect([4, 5, 15, 16, 128].map((hidden) => layoutOf({ hidden, cell: "gru", slim: false }).detail)).toEqual(["digits", "bars", "bars", "texture", "texture"]);
    expect(layoutOf({ hidden: 16, cell: "gru", slim: false }).row).toBe(6);
    for (const hidden of [1, 2, 4, 7, 15, 16, 40, 512]) {
      const layout = layoutOf({ hidden, cell: "lstm", slim: false });
      const last = rowTop(layout, hidden - 1) + layout.row;
      expect(last).toBeLessThanOrEqual(layout.stateTop + layout.stateHeight + 0.001);
      expect(layout.stateTop + layout.stateHeight).toBeLessThan(layout.cardTop + layout.cardHeight);
      if (layout.detail !== "texture") expect(layout.tile + layout.lane).toBeLessThan(layout.row);
    }
  });
});

describe("what is drawn and scrolled", () => {
  it("are the columns in view and two on either side", () => {
    const steps = visibleSteps(rnn4, 100, 1400, 840); // columns 10 to 15 or so
    const seen = (t: number) => columnX(rnn4, t) + 44 > 1400 && columnX(rnn4, t) - 44 < 2240;
    expect(Array.from({ length: 100 }, (_, i) => i + 1).filter(seen).every((t) => steps.includes(t))).toBe(true);
    expect(steps.filter((t) => !seen(t)).length).toBeLessThanOrEqual(4);
    expect([visibleSteps(rnn4, 3, 0, 840), visibleSteps(rnn4, 100, 1e6, 840)]).toEqual([[1, 2, 3], []]);
    expect(columnRange(300, 600, 500, 9, 0, 800, 1)).toEqual([1, 2, 3]);
  });

  it("moves no farther than is needed to see a column and its neighbour", () => {
    expect(scrollToColumn(rnn4, 20, 3, 0, 880)).toBe(0);
    const right = scrollToColumn(rnn4, 20, 8, 0, 880);
    expect(columnX(rnn4, 9) + 44).toBeLessThanOrEqual(right + 880);
    expect(scrollToColumn(rnn4, 20, 8, right, 880)).toBe(right);
    expect(scrollToColumn(rnn4, 20, 1, 700, 880)).toBe(0);
    expect(scrollToColumn(rnn4, 20, 20, 0, 880)).toBe(contentWidth(rnn4, 20) - 880);
  });
});

describe("cards of several layers and directions", () => {
  const layout = layoutOf({ hidden: 4, cell: "gru", slim: false, layers: 2, directions: 2 });

  it("stand one above the other, the first layer lowest, none over another, in frames of their layer", () => {
    expect(layout.shifts).toHaveLength(4);
    const [forward, reverse, upper, top] = layout.shifts as [number, number, number, number];
    expect(top).toBe(0);
    for (const [above, below] of [[top, upper], [upper, reverse], [reverse, forward]] as const) expect(below - above).toBeGreaterThan(layout.cardHeight);
    expect(layout.groups.map((group) => group.layer)).toEqual([1, 0]);
    expect(layout.groups[0]!.top + layout.groups[0]!.height).toBeLessThan(layout.groups[1]!.top);
    expect(layout.cardsBottom).toBe(layout.cardTop + forward + layout.cardHeight);
    expect(layout.inputTop).toBeGreaterThan(layout.groups[1]!.top + layout.groups[1]!.height);
  });

  it("leave one layer as it was: no frame, no shift", () => {
    expect([rnn4.shifts, rnn4.groups]).toEqual([[0], []]);
  });

  it("scroll into view, the read-out with the top one", () => {
    expect(scrollToCard(layout, 3, 500, 460)).toBe(0);
    const down = scrollToCard(layout, 0, 0, 460);
    expect(down + 460).toBeGreaterThanOrEqual(layout.cardTop + layout.shifts[0]! + layout.cardHeight);
    expect(scrollToCard(layout, 0, down, 460)).toBe(down);
    expect(scrollToCard(layout, -1, down, 460)).toBe(0);
  });
});
