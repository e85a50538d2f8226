// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { beside } from "./describe";
import { verdict } from "./verdict";

const validation = (step: number, loss: number, accuracy: number) => ({ step, loss, accuracy, rmse: null, perplexity: null });
const losses = Array.from({ length: 300 }, (_, i) => 2 - i / 200);

describe("what the curves say", () => {
  it("is nothing before the first validation", () => {
    expect(verdict([], losses, null)).toBeNull();
    expect(verdict([validation(100, 1, 0.5)], losses, null)).toBeNull();
  });

  it("is how the last validation stands against the baseline", () => {
    const baseline = { metric: "accuracy", value: 0.5 } as const;
    expect(verdict([validation(100, 1, 0.8)], losses, baseline)?.key).toBe("train.verdict.better");
    expect(verdict([validation(100, 1, 0.5)], losses, baseline)?.key).toBe("train.verdict.no_better");
    expect(verdict([validation(100, 1, 0.5)], losses, { metric: "rmse", value: 1 })).toBeNull();
    expect(verdict([validation(100, 1, 1)], losses, { metric: "accuracy", value: 0 })).toEqual({ key: "train.verdict.no_baseline", params: { value: "100.0 %", baseline: "0.0 %" } });
  });

  it("is overfitting only where the training loss falls on while that of the validation rises", () => {
    const rising = [validation(100, 1, 0.8), validation(200, 0.9, 0.8), validation(300, 1.2, 0.8)];
    expect(verdict(rising, losses, null)).toEqual({ key: "train.verdict.overfits", params: { step: 200, least: "0.9", now: "1.2" } });
    expect(verdict(rising, losses.map(() => 1), null)).toBeNull();
    expect(verdict([validation(200, 0.9, 0.8), validation(300, 0.91, 0.8)], losses, null)).toBeNull();
  });

  it("compares what the baseline is told in, where the validations are judged by something else", () => {
    const every = { step: 100, loss: 0.5, accuracy: 0.9, perplexity: 1.65, rmse: null, recalled: 0.4 };
    expect(verdict([every], losses, { metric: "accuracy", value: 0.781 })).toEqual({ key: "train.verdict.better", params: { value: "90.0 %", baseline: "78.1 %" } });
    expect(beside(every, "accuracy")).toEqual([{ metric: "accuracy", value: 0.9 }, { metric: "recalled", value: 0.4 }]);
    expect(beside(every, "perplexity")).toEqual([{ metric: "recalled", value: 0.4 }]);
  });
});
