import { describe, expect, it } from "vitest";
import { hatchPath } from "./hatch";

describe("hatching", () => {
  it("fills a place with diagonals that stay within it", () => {
    const path = hatchPath(10, 20, 30, 8);
    const points = [...path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
    expect(points.length).toBeGreaterThan(10);
    for (const [x, y] of points) expect(x >= 10 && x <= 40 && y >= 20 && y <= 28).toBe(true);
    expect(path).toContain("M10 22.5L12.5 20");
    expect(hatchPath(0, 0, 0, 0)).toBe("");
  });
});
