import { describe, expect, it } from "vitest";
import type { Trial } from "../../../api/sweeps";
import { bestFirst, edges, median, merit, ordered, progress } from "./trials";

const trial = (number: number, value: number | null, params: Trial["params"] = {}, state: Trial["state"] = "complete"): Trial => ({ number, value, params, state, run: `r_${number}`, error: null, curve: [] });
const trials = [trial(0, 0.5, { cell: "lstm" }), trial(1, null, { cell: "gru" }, "running"), trial(2, 0.9, { cell: "gru" }), trial(3, 0.7, { cell: "rnn" }, "pruned")];
const numbers = (list: Trial[]): number[] => list.map((one) => one.number);

describe("trials", () => {
  it("are put in order, those without a score last", () => {
    expect(numbers(ordered(trials, bestFirst({ direction: "maximize" })))).toEqual([2, 3, 0, 1]);
    expect(numbers(ordered(trials, bestFirst({ direction: "minimize" })))).toEqual([0, 3, 2, 1]);
    expect(numbers(ordered(trials, { by: "cell", descending: false }))).toEqual([1, 2, 0, 3]);
    expect(numbers(ordered(trials, { by: "number", descending: true }))).toEqual([3, 2, 1, 0]);
    expect(numbers(ordered(trials, { by: "dropout", descending: true }))).toEqual([0, 1, 2, 3]);
  });

  it("have a merit between the worst and the best", () => {
    expect(trials.map((one) => merit(one, trials, "maximize"))).toEqual([0, null, 1, expect.closeTo(0.5)]);
    expect(merit(trials[2]!, trials, "minimize")).toBe(0);
    expect(merit(trials[0]!, [trials[0]!], "minimize")).toBe(1);
  });
});

describe("the verdict", () => {
  const space = { lr: { low: 0.001, high: 0.1, log: true }, hidden_size: { choices: [8, 16, 32] }, dropout: { low: 0, high: 0.5, log: false }, seed: { choices: [0, 1] }, cell: { choices: ["gru", "rnn"] } };
  const found = (params: Trial["params"], many = 4): string[] =>
    edges({ space, best: { number: 0, run: "r_0", value: 1, params }, trials: Array.from({ length: many }, (_, k) => trial(k, 1)) }, (name) => (name === "dropout" ? { min: 0, max: 0.99 } : {})).map((one) => `${one.name} ${one.upper ? "<" : ">"} ${one.end}`);

  it("points to the ends at which the best lies, unless nothing lies beyond", () => {
    expect(found({ lr: 0.09, hidden_size: 8, dropout: 0, seed: 1, cell: "rnn" })).toEqual(["lr < 0.1", "hidden_size > 8"]);
    expect(found({ lr: 0.01, hidden_size: 16, dropout: 0.49, seed: 0, cell: "gru" })).toEqual(["dropout < 0.5"]);
    expect(found({ lr: 0.1, hidden_size: 8 }, 3)).toEqual([]);
  });

  it("knows the middle of those that went to their end", () => {
    expect(median(trials)).toBeNull();
    expect(median([trial(0, 3), trial(1, 1), trial(2, 2), trial(3, 9, {}, "pruned")])).toBe(2);
    expect(median([trial(0, 3), trial(1, 1), trial(2, 2), trial(3, 9)])).toBe(2.5);
  });
});

describe("progress", () => {
  const created = "2026-11-26T10:00:00Z";
  const after = (seconds: number): number => Date.parse(created) + seconds * 1000;

  it("goes by the trials that ended, and by their pace", () => {
    expect(progress({ trials, created, budget: { trials: 12, seconds: null } }, after(30))).toEqual({ done: 3, trials: 12, share: 0.25, left: 90 });
    expect(progress({ trials: [], created, budget: { trials: 12, seconds: null } }, after(30)).left).toBeNull();
  });

  it("ends when the time is over", () => {
    expect(progress({ trials, created, budget: { trials: 12, seconds: 40 } }, after(30))).toMatchObject({ share: 0.75, left: 10 });
    expect(progress({ trials, created, budget: { trials: 12, seconds: 40 } }, after(60))).toMatchObject({ share: 1, left: 0 });
  });
});
