import { describe, expect, it } from "vitest";
import { axisOver, linearAxis, linePath, logAxis, marked, nearest, roundStep, short } from "./scale";

describe("axes", () => {
  it("have ticks at round numbers within their ends", () => {
    expect(roundStep(10, 5)).toBe(2);
    expect(roundStep(0.7, 5)).toBeCloseTo(0.2);
    expect(linearAxis(0, 1).ticks.map((tick) => tick.label)).toEqual(["0", "0.2", "0.4", "0.6", "0.8", "1"]);
    expect(linearAxis(130, 520).ticks.map((tick) => tick.value)).toEqual([200, 300, 400, 500]);
  });

  it("place numbers, and find them again", () => {
    const linear = linearAxis(2, 4);
    expect([linear.place(2), linear.place(3), linear.place(4)]).toEqual([0, 0.5, 1]);
    expect(linear.at(0.25)).toBe(2.5);
    const log = logAxis(0.001, 10);
    expect(log.place(0.1)).toBeCloseTo(0.5);
    expect(log.at(0.5)).toBeCloseTo(0.1);
    expect(log.place(0)).toBeNaN();
    expect(log.ticks.map((tick) => tick.label)).toEqual(["10⁻³", "10⁻²", "10⁻¹", "10⁰", "10¹"]);
  });

  it("pass over what has no place, and exist without numbers", () => {
    expect(axisOver([1, NaN, Infinity, 3])).toMatchObject({ low: 1, high: 3 });
    expect(axisOver([0, -1, 0.1, 10], true)).toMatchObject({ low: 0.1, high: 10 });
    expect(axisOver([])).toMatchObject({ low: 0, high: 1 });
    expect(axisOver([0.5])).toMatchObject({ low: 0.25, high: 0.75 });
  });

  it("say round numbers between powers of ten where there are less than two", () => {
    expect(logAxis(0.2, 0.8).ticks.map((tick) => tick.label)).toEqual(["0.2", "0.4", "0.6", "0.8"]);
    const labels = (low: number, high: number) => logAxis(low, high, 4).ticks.map((tick) => tick.label);
    expect(labels(0.08, 0.9)).toEqual(["0.1", "0.2", "0.5"]);
    expect(labels(0.11, 9)).toEqual(["0.2", "0.5", "1", "2", "5"]);
    expect(labels(0.52, 0.58)).toEqual(["0.52", "0.54", "0.56", "0.58"]);
    for (let k = 0; k < 300; k++) expect(labels(0.013 * 1.021 ** k, 0.013 * 1.021 ** k * (1.05 + (k % 40) / 10)).length, String(k)).toBeGreaterThanOrEqual(2);
  });

  it("thin the powers of ten out", () => {
    expect(logAxis(1e-12, 1).ticks.length).toBeLessThanOrEqual(5);
  });
});

describe("short numbers", () => {
  it("have four digits at most and no zeros at their end", () => {
    expect([0, 1, 0.25, 1234.6, 0.012346, 1e-5, 2.5e7, -3.5].map(short)).toEqual(["0", "1", "0.25", "1235", "0.01235", "1·10⁻⁵", "2.5·10⁷", "−3.5"]);
    expect([NaN, Infinity].map(short)).toEqual(["NaN", "+∞"]);
  });
});

describe("lines", () => {
  it("have gaps", () => {
    const path = linePath([{ x: 0, y: 1 }, { x: 1, y: null }, { x: 2, y: 3 }, { x: 3, y: 4 }], (x) => x, (y) => y);
    expect(path).toBe("M0.0 1.0M2.0 3.0L3.0 4.0");
  });

  it("know their nearest point", () => {
    const points = [{ x: 1, y: 10 }, { x: 5, y: 20 }];
    expect(nearest(points, 2)).toBe(points[0]);
    expect(nearest(points, 3)).toBe(points[1]);
    expect(nearest([], 3)).toBeNull();
  });

  it("are marked at a few points", () => {
    const points = Array.from({ length: 200 }, (_, x) => ({ x, y: x === 3 ? null : x }));
    expect(marked(points).length).toBeLessThanOrEqual(9);
    expect(marked(points.slice(0, 10))).toHaveLength(9);
    expect(marked(points, 3)[0]).not.toEqual(marked(points, 0)[0]);
  });
});
