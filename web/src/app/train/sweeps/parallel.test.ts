import { describe, expect, it } from "vitest";
import type { Sweep, Trial } from "../../../api/sweeps";
import { axesOf, brushed, categoryBrush, passes, placesOf, trialNear, typedBrush } from "./parallel";

const trial = (number: number, value: number | null, params: Trial["params"]): Trial => ({ number, value, params, state: "complete", run: null, error: null, curve: [] });
const trials = [trial(0, 0.2, { lr: 0.001, cell: "gru", hidden_size: 8 }), trial(1, 1.2, { lr: 0.1, cell: "rnn", hidden_size: 32 }), trial(2, null, { lr: 0.01, cell: "gru", hidden_size: 8 })];
const space: Sweep["space"] = { lr: { low: 0.001, high: 0.1, log: true }, cell: { choices: ["gru", "rnn"] }, hidden_size: { choices: [32, 8] } };
const axes = axesOf({ space, trials });

describe("parallel axes", () => {
  it("are those of the settings, and the score last", () => {
    expect(axes.map((axis) => axis.name)).toEqual(["lr", "cell", "hidden_size", "value"]);
    expect(placesOf(trials[0]!, axes)).toEqual([0, 0.25, 0.25, 0]);
    expect(placesOf(trials[1]!, axes)).toEqual([1, 0.75, 0.75, 1]);
    expect(placesOf(trials[2]!, axes)).toEqual([expect.closeTo(0.5), 0.25, 0.25, null]);
  });

  it("have numbers in order, and say their ends", () => {
    expect(axes[2]!.ticks.map((tick) => tick.label)).toEqual(["8", "32"]);
    expect(axes[0]!.ticks.map((tick) => tick.label)).toEqual(["0.001", "10⁻²", "0.1"]);
    expect(axes[1]!.at(0.9)).toBe("rnn");
    expect(axes[0]!.at(0.5)).toBeCloseTo(0.01);
  });

  it("exist before there is a score", () => {
    expect(axesOf({ space, trials: [] }).at(-1)!.ticks.length).toBeGreaterThan(1);
  });
});

describe("brushes", () => {
  it("leave what is within all of them", () => {
    const within = (brushes: Record<string, [number, number]>): number[] => trials.filter((one) => passes(one, axes, brushes)).map((one) => one.number);
    expect(within({})).toEqual([0, 1, 2]);
    expect(within({ lr: [0, 0.5] })).toEqual([0, 2]);
    expect(within({ lr: [0, 0.5], value: [0, 1] })).toEqual([0]);
    expect(within({ cell: categoryBrush(axes[1]!, "rnn") as [number, number] })).toEqual([1]);
  });

  it("stay on the axis, and are none where nothing was dragged", () => {
    expect(brushed(0.8, -0.5)).toEqual([0, 0.8]);
    expect(brushed(0.5, 0.505)).toBeNull();
  });

  it("can be typed", () => {
    expect(typedBrush(axes[0]!, "0.01", "")).toEqual([expect.closeTo(0.5), 1]);
    expect(typedBrush(axes[0]!, "", " ")).toBeNull();
    expect(typedBrush(axes[0]!, "x", "")).toBeUndefined();
    expect(typedBrush(axes[0]!, "0.1", "0.01")).toBeUndefined();
  });
});

describe("the nearest line", () => {
  it("is found within reach", () => {
    const at = (axis: number, place: number): readonly [number, number] => [axis * 100, 100 - place * 100];
    expect(trialNear(trials, axes, at, 50, 88)?.number).toBe(0);
    expect(trialNear(trials, axes, at, 290, 97)?.number).toBe(0);
    expect(trialNear(trials, axes, at, 300, 50)).toBeNull();
  });
});
