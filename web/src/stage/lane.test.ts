import { describe, expect, it } from "vitest";
import { dotOf, laneMark, laneWords, markPaths, together } from "./lane";

describe("a gradient lane", () => {
  it("is a bar from the middle to the side of its sign, in proportion", () => {
    expect(laneMark(0.5, 2, 40)).toEqual({ kind: "bar", from: 0, width: 10 });
    expect(laneMark(-0.5, 2, 40)).toEqual({ kind: "bar", from: -10, width: 10 });
    expect(laneMark(9, 2, 40)).toEqual({ kind: "bar", from: 0, width: 40 });
  });

  it("says in words what is under a pixel, on its side, or in the middle of a narrow lane; shorter where there is less room, and else not at all", () => {
    const mark = laneMark(-0.003, 2, 35);
    expect(mark).toEqual({ kind: "words", text: "−3·10⁻³", short: "−·10⁻³", sign: -1 });
    if (mark.kind !== "words") throw new Error("no words");
    expect(laneWords(mark, 80, 12)).toEqual({ text: "−3·10⁻³", side: "left" });
    expect(laneWords({ ...mark, text: "+3·10⁻³", sign: 1 }, 80, 12)).toMatchObject({ side: "right" });
    for (const width of [50, 62]) expect(laneWords(mark, width, 12)).toMatchObject({ text: "−3·10⁻³", side: "middle" });
    expect(laneWords(mark, 33, 13)).toMatchObject({ text: "−·10⁻³", side: "middle" });
    expect([laneWords(mark, 20, 13), laneWords(mark, 80, 6)]).toEqual([null, null]);
  });

  it("without words has a mark for each of bar, sub-pixel number, zero and no number, in rows of every height", () => {
    for (const height of [2.25, 6, 12]) {
      const of = (value: number | null) => markPaths(value, 2, 20, 20, height / 2, height);
      const [bar, up, down, zero, none] = [of(1), of(0.003), of(-0.003), of(0), of(NaN)];
      expect(new Set([bar.filled, up.filled, down.filled]).size).toBe(3);
      expect([zero.filled, zero.hatches, none.filled, none.rings, up.rings]).toEqual(["", "", "", "", ""]);
      expect(zero.rings).not.toBe("");
      expect(none.hatches).not.toBe("");
      expect(Number(/M([\d.]+)/.exec(up.filled)![1])).toBeGreaterThan(20);
      expect(Number(/M([\d.]+)/.exec(down.filled)![1]) + 2 * dotOf(height).radius).toBeLessThan(20);
      expect(of(null)).toEqual({ filled: "", rings: "", hatches: "" });
    }
    expect(together([markPaths(0, 2, 20, 20, 3, 6), markPaths(1, 2, 20, 20, 9, 6)])).toMatchObject({ hatches: "" });
  });

  it("tells exact zero, nothing yet, and what is no number from each other", () => {
    expect([laneMark(0, 2, 40), laneMark(-0, 2, 40), laneMark(null, 2, 40), laneMark(NaN, 2, 40), laneMark(Infinity, 2, 40)].map((mark) => mark.kind)).toEqual([
      "zero", "zero", "empty", "hatch", "hatch",
    ]);
  });
});
