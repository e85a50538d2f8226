import { describe, expect, it } from "vitest";
import { linked } from "./logScale";

describe("a line of norms", () => {
  it("breaks where a norm has no place", () => {
    expect(linked([{ x: 0, y: 1 }, { x: 10, y: 2 }, { x: 20, y: null }, { x: 30, y: 4 }])).toBe("M0.0 1.0L10.0 2.0M30.0 4.0");
  });
});
