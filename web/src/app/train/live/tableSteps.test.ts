import { describe, expect, it } from "vitest";
import { tableSteps } from "./tableSteps";

describe("the steps of the table", () => {
  it("are all of a few, and some of many with the first and the last", () => {
    expect(tableSteps(0, [])).toEqual([]);
    expect(tableSteps(5, [5])).toEqual([1, 2, 3, 4, 5]);
    const many = tableSteps(20_000, Array.from({ length: 400 }, (_, i) => (i + 1) * 50));
    expect([many[0], many.at(-1)]).toEqual([1, 20_000]);
    expect(many.length).toBeLessThanOrEqual(42);
    expect(tableSteps(100, [50, 100])).toContain(50);
    expect(tableSteps(100, [0, 50, 100]).slice(0, 2)).toEqual([0, 1]);
    expect(tableSteps(20_000, Array.from({ length: 401 }, (_, i) => i * 50)).slice(0, 2)).toEqual([0, 1]);
  });
});
