import { expect, it } from "vitest";
import { waterfall } from "./waterfall";

it("begins each bar where the one before ended", () => {
  const { zero, bars, sum } = waterfall([-0.668, 0.137, null, 0]);
  expect(zero).toBe(1);
  expect(bars[0]).toEqual({ from: 1, to: 0 });
  expect(bars[1]!.from).toBe(bars[0]!.to);
  expect(bars[1]!.to).toBeCloseTo(0.137 / 0.668, 12);
  expect(bars[2]).toBeNull();
  expect(bars[3]).toEqual({ from: bars[1]!.to, to: bars[1]!.to });
  expect(sum).toEqual({ from: 1, to: bars[1]!.to });
});

it("draws nothing for zeros and non-finite numbers", () => {
  expect(waterfall([0, 0]).sum).toEqual({ from: 1, to: 1 });
  expect(waterfall([NaN, 1]).bars).toEqual([null, { from: 0, to: 1 }]);
});
