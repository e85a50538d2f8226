import { describe, expect, it } from "vitest";
import { markedPairs, pixels, seriesPath } from "./example";

describe("tokens of an example", () => {
  it("draws a series from its lowest to its highest number", () => {
    expect(seriesPath([[0], [2], [1]], 104, 54)).toBe("M2.0 52.0L52.0 2.0L102.0 27.0");
    expect(seriesPath([3, 3], 104, 54)).toBe("M2.0 27.0L102.0 27.0");
    expect(seriesPath([3], 104, 54)).toBe("M2.0 27.0");
  });

  it("knows which numbers are marked", () => {
    expect(markedPairs([[0.25, 0], [0.5, 1]])).toEqual([{ value: 0.25, marked: false }, { value: 0.5, marked: true }]);
  });

  it("reads rows of pixels", () => {
    expect(pixels([[0, 1], [0.5, 0]])).toEqual([[0, 1], [0.5, 0]]);
  });
});

describe("an image read pixel by pixel", () => {
  it("is a square again", () => {
    expect(pixels([[0], [0.25], [0.5], [1]])).toEqual([[0, 0.25], [0.5, 1]]);
    expect(pixels([[0], [1], [0.5]])).toEqual([[0], [1], [0.5]]);
  });
});
