import { describe, expect, it } from "vitest";
import { verdictOf } from "./checked";

const check = (gradient: number, finite_difference: number, error: number) => ({ schema_version: 1 as const, gradient, finite_difference, difference: finite_difference - gradient, epsilon: 6e-6, error });

describe("a check by finite differences", () => {
  it("agrees within the quotient's own error", () => {
    expect(verdictOf(check(0.5, 0.5 + 3e-11, 5e-11))).toBe("agrees");
    expect(verdictOf(check(0, 0, 0))).toBe("agrees");
  });

  it("finds a small gradient wrong that is off by more, however small the difference is", () => {
    expect(verdictOf(check(7.4e-7, 8.4e-7, 6e-11))).toBe("differs");
    expect(verdictOf(check(0, 1e-7, 6e-11))).toBe("differs");
    expect(verdictOf(check(NaN, 1, 1e-11))).toBe("differs");
  });

  it("says nothing of a gradient that is lost in that error", () => {
    expect(verdictOf(check(3e-11, 5e-11, 6e-11))).toBe("unresolved");
    expect(verdictOf(check(0, 1e-11, 6e-11))).toBe("unresolved");
  });
});
