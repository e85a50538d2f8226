import { describe, expect, it } from "vitest";
import { beyond, decade, loupePlace, loupeScale, loupeTicks, zoneText } from "./scale";

describe("the loupe's scale", () => {
  it("is linear up to the power of ten under the number, and ends at the largest neighbour", () => {
    const scale = loupeScale(0.0689, [0.0304, 0.0689, -0.585])!;
    expect(scale).toEqual({ zone: 0.01, max: 0.585 });
    expect(loupePlace(scale, 0.585)).toBe(1);
    expect(loupePlace(scale, -0.585)).toBe(-1);
    expect(loupePlace(scale, 0)).toBe(0);
    // asinh(v / zone) / asinh(max / zone), odd and growing
    expect(loupePlace(scale, 0.0689)).toBeCloseTo(Math.log(6.89 + Math.hypot(6.89, 1)) / Math.log(58.5 + Math.hypot(58.5, 1)), 12);
    expect(loupePlace(scale, -0.0689)).toBe(-loupePlace(scale, 0.0689));
    expect(loupePlace(scale, 1e-6) / loupePlace(scale, 1e-7)).toBeCloseTo(10, 6); // near 0 in proportion
    expect(zoneText(scale)).toBe("10⁻²");
  });

  it("shows a number that is tiny beside its neighbours: those far above it end at the edge", () => {
    const scale = loupeScale(3e-12, [1.5, 3e-12])!;
    expect(scale).toEqual({ zone: 1e-12, max: 1e-6 });
    expect(loupePlace(scale, 3e-12)).toBeGreaterThan(0.1);
    expect(loupePlace(scale, 1.5)).toBe(1);
    expect([beyond(scale, 1.5), beyond(scale, -1.5), beyond(scale, 1e-6)]).toEqual([true, true, false]);
  });

  it("is fitted around the smallest neighbour where the number is 0 or none, and not at all among zeros", () => {
    expect(loupeScale(0, [0, -2e-5, null, 0.3])!.zone).toBe(1e-5);
    expect(loupeScale(NaN, [NaN, 0.02, Infinity])).toEqual({ zone: 0.01, max: 0.02 });
    expect(loupeScale(0, [0, null, 0])).toBeNull();
    expect(loupeScale(NaN, [NaN])).toBeNull();
    expect(loupePlace({ zone: 1, max: 2 }, NaN)).toBeNaN();
    expect(loupePlace({ zone: 1, max: 2 }, -Infinity)).toBe(-Infinity); // hatched, no bar
  });

  it("holds at the ends of the range of numbers", () => {
    for (const [around, others] of [[5e-324, [1e-300]], [1e308, [1e308, -3]], [1e-300, [1e300]]] as const) {
      const scale = loupeScale(around, [...others])!;
      const place = loupePlace(scale, around);
      expect(scale.zone).toBeGreaterThan(0);
      expect(place).toBeGreaterThan(0);
      expect(place).toBeLessThanOrEqual(1);
    }
  });

  it("has ticks at 0 and at each power of ten on both sides, labelled where there is room", () => {
    const ticks = loupeTicks({ zone: 1e-2, max: 0.585 }, 72, 30);
    expect(ticks.map(({ text }) => text)).toEqual(["−0.1", "", "0", "", "0.1"]);
    expect(ticks.map(({ place }) => place)).toEqual([...ticks.map(({ place }) => -place)].reverse().map((place) => place + 0));
    expect(loupeTicks({ zone: 1e-2, max: 0.585 }, 200, 30).map(({ text }) => text)).toEqual(["−0.1", "−10⁻²", "0", "10⁻²", "0.1"]);
    expect([decade(0), decade(2), decade(3), decade(-4)]).toEqual(["1", "100", "10³", "10⁻⁴"]);
  });
});
