import { describe, expect, it } from "vitest";
import { linearAxis, logAxis } from "../chart/scale";
import { corners, MARGIN, numbers, stepAt, stepByKey, stepsAxis, type Curve } from "./curves";
import { edges, longest, scaleOf, shade } from "./heat";

const curve = (values: number[], steps?: number[]): Curve => ({ name: "", values, length: values.length, colour: "--ink-1", ...(steps && { steps }) });

describe("curves", () => {
  const y = linearAxis(0, 10);

  it("have a corner a value where there is room", () => {
    expect(corners(curve([10, 0, 5]), linearAxis(1, 3), y, 100, 50)).toEqual([{ x: 0, y: 0 }, { x: 0, y: 0 }, { x: 50, y: 50 }, { x: 50, y: 50 }, { x: 100, y: 25 }, { x: 100, y: 25 }]);
  });

  it("keep their peaks where many values share a column", () => {
    const values = Array.from({ length: 20_000 }, (_, i) => (i === 12_345 ? 10 : 1));
    const points = corners(curve(values), linearAxis(1, 20_000), y, 300, 100);
    expect(points.length).toBeLessThan(1300);
    expect(Math.min(...points.map((point) => point.y))).toBe(0);
  });

  it("have a gap where there is no number, or no place in a logarithm", () => {
    const gap = (values: number[], axis = y): boolean[] => corners(curve(values), linearAxis(1, 3), axis, 100, 50).map((point) => Number.isNaN(point.y));
    expect(gap([1, NaN, 2])).toContain(true);
    expect(gap([1, Infinity, 2])).toContain(true);
    expect(gap([1, 0, 2], logAxis(0.1, 10))).toContain(true);
    expect(gap([1, 3, 2])).not.toContain(true);
  });

  it("stand at their own steps", () => {
    expect(corners(curve([5, 5], [10, 20]), linearAxis(0, 20), y, 100, 50).map((point) => point.x)).toEqual([50, 50, 100, 100]);
    expect([...numbers([curve([1, 2]), curve([3])])]).toEqual([1, 2, 3]);
  });

  it("begin before the first step, for which a logarithm has no place", () => {
    const begun = (log: boolean): number[] => corners(curve([3, 2, 1], [0, 1, 100]), stepsAxis(log, 100), y, 100, 10).map((point) => point.x);
    expect([...new Set(begun(false))]).toEqual([0, 1, 100]);
    expect([...new Set(begun(true))]).toEqual([0, 100]);
    expect([stepsAxis(false, 0).high, stepsAxis(true, 3).high]).toEqual([10, 10]);
  });

  it("are read by pointer and by key", () => {
    const width = 200 + MARGIN.left + MARGIN.right;
    const x = linearAxis(1, 201);
    expect([-50, MARGIN.left, MARGIN.left + 100, width + 50].map((place) => stepAt(x, place, width, 150))).toEqual([1, 1, 101, 150]);
    const keys: [string, boolean][] = [["ArrowRight", false], ["ArrowLeft", true], ["PageUp", false], ["Home", false], ["End", false], ["x", false]];
    expect(keys.map(([key, shift]) => stepByKey(key, shift, 50, 150))).toEqual([51, 40, 65, 1, 150, null]);
  });
});

describe("the map of gradients", () => {
  const columns = [{ step: 1, gradient_through_time: [1e-5, 0, 1] }, { step: 3, gradient_through_time: [0.1, NaN] }, { step: 11, gradient_through_time: [10] }];
  const ramp = { positive: [100, 0, 0], negative: [0, 0, 0], zero: [0, 0, 0], dark: [0, 0, 0], light: [0, 0, 0] } as const;

  it("reaches halfway to its neighbours", () => {
    expect(edges(columns, linearAxis(1, 11))).toEqual([[0, 0.1], [0.1, 0.6], [0.6, 1]]);
  });

  it("has one logarithmic scale for all, and tells zeros and what is no number apart", () => {
    const scale = scaleOf(columns)!;
    expect([scale.low, scale.high, longest(columns)]).toEqual([-5, 1, 3]);
    expect([1e-5, 0.01, 10].map((norm) => shade(ramp, scale, norm)![0])).toEqual([0, 50, 100]);
    expect([shade(ramp, scale, 0), shade(ramp, scale, NaN)]).toEqual([null, undefined]);
    expect(scaleOf([{ step: 1, gradient_through_time: [0] }])).toBeNull();
  });
});
