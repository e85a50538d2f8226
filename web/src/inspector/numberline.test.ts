import { describe, expect, it } from "vitest";
import { numberLine as lineOf, type Line } from "./numberline";

const move = { old: 0.358718, new: 0.366068, step: 0.007386, decay: -0.000036, gradient: -0.6246 };

const numberLine = (...given: Parameters<typeof lineOf>): Line => lineOf(...given)!;

describe("numberLine", () => {
  it("draws the step at scale and the decay magnified, with the magnification said", () => {
    const line = numberLine(move, 296);
    expect(line.fresh).toBeGreaterThan(line.old);
    expect(line.step!.to - line.step!.from).toBeCloseTo(((line.fresh - line.old) * move.step) / (move.new - move.old), 6);
    expect(line.decay!.factor).toBeGreaterThan(1);
    expect(line.decay!.to).toBeLessThan(line.decay!.from);
    expect(line.gradient!.to).toBeLessThan(line.old); // uphill is to the left: the step goes down
  });

  it("keeps everything inside, whichever way it goes", () => {
    for (const sign of [1, -1]) {
      for (const against of [1, -1]) {
        const line = numberLine({ old: sign * 0.3587, new: sign * 0.366, step: sign * 0.0074, decay: -sign * 0.0001, gradient: against }, 296);
        for (const x of [line.old, line.fresh, line.step!.to, line.decay!.to, line.gradient!.to]) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(x).toBeLessThanOrEqual(296);
        }
      }
    }
  });

  it("raises the gradient's arrow when it points where the step goes", () => {
    const along = numberLine({ ...move, gradient: 0.6 }, 296);
    expect(along.gradient!.y).toBeLessThan(along.step!.y - 20);
    expect(numberLine(move, 296).gradient!.y).toBe(numberLine(move, 296).step!.y);
  });

  it("stands when nothing moves", () => {
    const line = numberLine({ old: 0, new: 0, step: 0, decay: 0, gradient: 0 }, 296);
    expect(line.old).toBe(line.fresh);
    expect([line.gradient, line.step, line.decay]).toEqual([null, null, null]);
  });

  it("measures a step that is below the spacing of numbers beside the old value", () => {
    const tiny = 1e-14;
    const line = numberLine({ old: 100, new: 100, step: tiny, decay: 0, gradient: -1 }, 296);
    expect(line.step).not.toBeNull();
    expect([line.old, line.fresh, line.step!.to].every(Number.isFinite)).toBe(true);
  });

  it("is none where a value, or the way to it, is not finite", () => {
    for (const lost of [{ old: NaN, new: NaN }, { new: NaN, step: NaN }, { new: -Infinity, step: -Infinity }, { old: -1e308, new: 1.7e308, step: 1.7e308 }]) expect(lineOf({ ...move, ...lost }, 296)).toBeNull();
    expect(lineOf({ ...move, gradient: NaN }, 296)!.gradient).toBeNull();
  });

  it("labels round numbers", () => {
    const labels = numberLine(move, 296).ticks.flatMap((tick) => tick.label ?? []);
    expect(labels.length).toBeGreaterThan(0);
    for (const label of labels) expect((Number(label) / 0.0005) % 1).toBeCloseTo(0, 6);
  });
});
