import { describe, expect, it } from "vitest";
import type { Observation } from "../../../api/runEvents";
import { clipped, nearestIndex, RunRecord } from "./record";

const steps = (first: number, losses: number[]) => ({ step: first + losses.length - 1, first, losses, gradient_norms: losses.map((x) => x * 10), learning_rates: losses.map(() => 0.1), steps_per_second: 5, seconds_left: 1 });
const seen = (step: number, text = ""): Observation => ({ step, update_ratios: {}, gradient_through_time: [], hidden: [], predictions: [], samples: [text] });

describe("the record of a run", () => {
  it("takes steps as they come, and again where they come twice", () => {
    const record = new RunRecord();
    record.progress(steps(1, [3, 2]));
    record.progress(steps(2, [2, 1, 0.5]));
    expect([record.length, ...record.losses.slice(0, 4)]).toEqual([4, 3, 2, 1, 0.5]);
    expect(record.norms[3]).toBe(5);
  });

  it("grows with the run and keeps what it has", () => {
    const record = new RunRecord();
    for (let first = 1; first <= 5000; first += 100) record.progress(steps(first, Array.from({ length: 100 }, (_, i) => first + i)));
    expect([record.length, record.losses[0], record.losses[4999], record.norms[4999]]).toEqual([5000, 1, 5000, 50000]);
  });

  it("smoothes the loss from its first step on, the same however it came", () => {
    const losses = Array.from({ length: 300 }, (_, i) => 2 - i / 300 + (i % 2 ? 0.3 : -0.3));
    const [once, often] = [new RunRecord(), new RunRecord()];
    once.progress(steps(1, losses));
    for (let i = 0; i < 300; i += 7) {
      often.progress(steps(i + 1, losses.slice(i, i + 7)));
      often.smoothed();
    }
    expect(often.smoothed().slice(0, 300)).toEqual(once.smoothed().slice(0, 300));
    expect(once.smoothed()[0]).toBe(losses[0]);
    expect(Math.abs(once.smoothed()[299]! - 1.08)).toBeLessThan(0.05);
  });

  it("passes over losses that are no numbers", () => {
    const record = new RunRecord();
    record.progress(steps(1, [1, NaN, 3]));
    expect([...record.smoothed().slice(0, 3)].every(Number.isFinite)).toBe(true);
  });

  it("keeps observations in order, the last of each step", () => {
    const record = new RunRecord();
    for (const [step, text] of [[1, "a"], [10, "b"], [5, "c"], [10, "d"]] as const) record.observation(seen(step, text));
    expect(record.observations.map((o) => [o.step, o.samples![0]])).toEqual([[1, "a"], [5, "c"], [10, "d"]]);
    expect([0, 3, 4, 7, 8, 99].map((step) => record.observed(step)!.step)).toEqual([1, 1, 5, 5, 10, 10]);
    expect(new RunRecord().observed(3)).toBeNull();
    expect(nearestIndex([], 3)).toBe(-1);
  });

  it("knows the validation of a step", () => {
    const record = new RunRecord();
    record.validation({ step: 50, loss: 1 });
    record.validation({ step: 100, loss: 0.5 });
    expect([49, 50, 120].map((step) => record.validated(step)?.loss)).toEqual([undefined, 1, 0.5]);
  });

  it("begins its validations with the untrained network, once that is known", () => {
    const record = new RunRecord();
    record.validation({ step: 50, loss: 1 });
    expect(record.judged().map(({ step }) => step)).toEqual([50]);
    record.untrained = { step: 0, loss: 3 };
    expect(record.judged().map(({ step }) => step)).toEqual([0, 50]);
    expect([0, 49, 50].map((step) => record.validated(step)?.loss)).toEqual([3, 3, 1]);
    expect(record.validations.length).toBe(1);
  });

  it("clips norms that are larger", () => {
    expect([clipped(3, 1), clipped(0.5, 1), clipped(3, null)]).toEqual([1, 0.5, 3]);
    expect(clipped(NaN, 1)).toBeNaN();
  });
});
