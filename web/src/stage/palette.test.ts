import { describe, expect, it } from "vitest";
import { contrast, css, inkOn, mix, parseColour, strip, type Palette } from "./palette";

const theme = (positive: string, negative: string, zero: string): Palette => ({
  positive: parseColour(positive), negative: parseColour(negative), zero: parseColour(zero), dark: parseColour("#050505"), light: parseColour("#FFF"),
});
const light = theme("#2F7FD0", "#D9730D", "#F2F2F2");
const dark = theme("#3E8EDB", "#D9822B", "#2A2F37");

describe("the fill of a value", () => {
  it("is a linear mix of the tokens, and stays at the ends beyond ±1", () => {
    expect(css(mix(light, 0))).toBe("rgb(242,242,242)");
    expect(css(mix(light, 1))).toBe("rgb(47,127,208)");
    expect(css(mix(light, -7))).toBe(css(mix(light, -1)));
    expect(mix(light, 0.5)).toEqual([145, 185, 225]);
    expect(mix(light, NaN)).toEqual(mix(light, 0));
    expect(mix(light, -Infinity)).toEqual(mix(light, -1));
  });

  it("carries digits of at least 4.5 to 1 in both themes", () => {
    for (const palette of [light, dark]) {
      for (let v = -1; v <= 1.001; v += 0.01) expect(contrast(mix(palette, v), inkOn(palette, mix(palette, v)))).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("of many values is one background with hard stops", () => {
    expect(strip(light, [0, 1], 6)).toBe("linear-gradient(to bottom, rgb(242,242,242) 0.00px 6.00px, rgb(47,127,208) 6.00px 12.00px)");
  });
});

describe("parseColour", () => {
  it("reads both forms and says what it cannot read", () => {
    expect([parseColour(" #2F7FD0"), parseColour("#fff")]).toEqual([[47, 127, 208], [255, 255, 255]]);
    expect(() => parseColour("tomato")).toThrow(/#RRGGBB/);
  });
});
