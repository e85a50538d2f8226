import { describe, expect, it } from "vitest";
import { along, largestOf, norm } from "./norm";

describe("a norm", () => {
  it("is that of its elements, also where their squares overflow or vanish", () => {
    expect(norm([3, -4])).toBe(5);
    expect(norm([3e300, 4e300]) / 5e300).toBeCloseTo(1, 14);
    expect(norm([3e-300, 4e-300]) / 5e-300).toBeCloseTo(1, 14);
    expect(norm([])).toBe(0);
    expect(norm([0, 0])).toBe(0);
  });

  it("of what is no number is none", () => {
    expect(norm([1, NaN, Infinity])).toBeNaN();
    expect(norm([1, -Infinity])).toBe(Infinity);
  });

  it("is made of what its parts have along the whole", () => {
    const [one, other] = [[1e200, 0], [2e200, 4e200]];
    const whole = [3e200, 4e200];
    expect((along(one, whole) + along(other, whole)) / norm(whole)).toBeCloseTo(1, 14);
    expect(along([0, 0], [0, 0])).toBe(0);
  });

  it("fixes no scale where it is not finite", () => {
    expect(largestOf([1, NaN, -3, Infinity, null])).toBe(3);
    expect(largestOf([NaN])).toBe(0);
  });
});
