import { describe, expect, it } from "vitest";
import { arrowHead, beside, labelPoint, path, simplify } from "./polyline";

const bent = [{ x: 0, y: 0 }, { x: 50, y: 0 }, { x: 50, y: 40 }, { x: 120, y: 40 }];

describe("polylines", () => {
  it("keeps only the points that bend", () => {
    expect(simplify([{ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 20, y: 0 }, { x: 20, y: 5 }])).toEqual([{ x: 0, y: 0 }, { x: 20, y: 0 }, { x: 20, y: 5 }]);
  });

  it("runs beside a line at one distance everywhere, with square corners", () => {
    expect(beside(bent, 6)).toEqual([{ x: 0, y: 6 }, { x: 44, y: 6 }, { x: 44, y: 46 }, { x: 120, y: 46 }]);
    expect(beside([...bent].reverse(), 6)).toEqual([{ x: 120, y: 34 }, { x: 56, y: 34 }, { x: 56, y: -6 }, { x: 0, y: -6 }]);
  });

  it("rounds corners and stops short of its end", () => {
    expect(path(bent, 6, 10)).toBe("M0 0L44 0Q50 0 50 6L50 34Q50 40 56 40L110 40");
  });

  it("points its head along the last stretch", () => {
    expect(arrowHead(bent, 10)).toBe("M110 33.8L120 40L110 46.2Z");
  });

  it("labels the longest level stretch", () => {
    expect(labelPoint(bent)).toEqual({ x: 85, y: 40 });
  });
});
