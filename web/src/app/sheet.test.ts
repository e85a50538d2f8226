import { describe, expect, it } from "vitest";
import { beyond, heightOf, nearest, SIZES } from "./sheet";

describe("the sheet of a phone", () => {
  it("has three heights, each above the one before", () => {
    for (const window of [568, 844, 932]) {
      const heights = SIZES.map((size) => heightOf(size, window));
      expect(heights).toEqual([...heights].sort((one, other) => one - other));
      expect(heights.at(-1)).toBeLessThan(window);
    }
  });

  it("comes to rest at the nearest one", () => {
    for (const size of SIZES) for (const off of [-30, 0, 30]) expect(nearest(heightOf(size, 844) + off, 844)).toBe(size);
  });

  it("grows and shrinks by one, and stays at the ends", () => {
    expect([beyond("peek", 1), beyond("half", 1), beyond("full", 1)]).toEqual(["half", "full", "full"]);
    expect([beyond("peek", -1), beyond("half", -1), beyond("full", -1)]).toEqual(["peek", "peek", "half"]);
  });
});
