import { describe, expect, it } from "vitest";
import type { TaskInfo } from "../../../api/types";
import { FRESH_RUN } from "../../program";
import { OPTIMIZERS as KINDS } from "../form/settings";
import { combinations, dimensionOf, drafts, PARAMETERS, refused, requestOf, startOf, wordsOf, type Budget, type Draft } from "./space";

const length = { min: 10, max: 200, default: 50, of: "all" } as TaskInfo["length"];
const budget: Budget = { steps: 200, patience: null, trials: 10, seconds: null, sampler: "tpe", pruner: "median", seed: 0, name: " " };
const draft = (change: Partial<Draft>): Draft => ({ name: "lr", on: true, mode: "range", low: "0.001", high: "0.1", log: true, list: "", words: [], ...change });

describe("the form's beginning", () => {
  it("varies the rate and the size around those of the program", () => {
    const all = drafts({ ...FRESH_RUN, hidden_size: 32, optimizer: { name: "adamw", lr: 0.02 } }, null);
    expect(all.filter((one) => one.on).map((one) => dimensionOf(one))).toEqual([{ low: 0.002, high: 0.2, log: true }, { choices: [16, 32, 64] }]);
  });

  it("has limits that can be taken for every setting", () => {
    const all = drafts(FRESH_RUN, { length });
    expect(all.map((one) => one.name)).toEqual(Object.keys(PARAMETERS));
    for (const one of all) for (const mode of ["range", "choices"] as const) {
      if (mode === "choices" && one.list === "" && one.words.length === 0) continue;
      expect([one.name, mode, refused(dimensionOf({ ...one, mode }))]).toEqual([one.name, mode, false]);
    }
  });

  it("offers a length where the task has one", () => {
    expect(drafts(FRESH_RUN, { length: null }).some((one) => one.name === "length")).toBe(false);
    expect(drafts(FRESH_RUN, { length }).some((one) => one.name === "length")).toBe(true);
  });
});

describe("limits", () => {
  it("are refused with a reason", () => {
    const reason = (change: Partial<Draft>): string => (dimensionOf(draft(change)) as { key: string }).key;
    expect(reason({ low: "1", high: "0.1" })).toBe("runs.sweep.wrong.order");
    expect(reason({ low: "x" })).toBe("runs.sweep.wrong.number");
    expect(reason({ high: "" })).toBe("runs.sweep.wrong.number");
    expect(reason({ name: "dropout", low: "0", high: "0.5" })).toBe("runs.sweep.wrong.log");
    expect(reason({ mode: "choices" })).toBe("runs.sweep.wrong.no_number");
    expect(reason({ name: "hidden_size", mode: "choices", list: "8, 1.5" })).toBe("runs.sweep.wrong.number");
    expect(reason({ name: "cell" })).toBe("runs.sweep.wrong.no_word");
  });

  it("take lists in either script, each number once", () => {
    expect(dimensionOf(draft({ mode: "choices", list: "0.1，0.01, 0.1" }))).toEqual({ choices: [0.1, 0.01] });
    expect(dimensionOf(draft({ name: "bidirectional", words: [true, false] }))).toEqual({ choices: [true, false] });
  });

  it("count their combinations", () => {
    expect(combinations([{ choices: [1, 2] }, { choices: [1, 2, 3] }])).toBe(6);
    expect(combinations([{ choices: [1] }, { low: 0, high: 1, log: false }])).toBeNull();
  });
});

describe("what is sent", () => {
  it("leaves out what is not asked for, and what a run changed on its way", () => {
    const request = requestOf({ ...FRESH_RUN, edits: [{ step: 3, lr: 1 }] } as typeof FRESH_RUN, [draft({}), draft({ name: "seed", on: false })], budget, 8);
    expect(request).toEqual({ program: FRESH_RUN, space: { lr: { low: 0.001, high: 0.1, log: true } }, steps: 200, trials: 10, sampler: "tpe", pruner: "median", seed: 0 });
    expect(requestOf(FRESH_RUN, [draft({})], { ...budget, seconds: 60, name: " night " }, 8)).toMatchObject({ seconds: 60, name: "night" });
  });

  it("is refused where nothing varies, too much does, or a limit is none", () => {
    expect(requestOf(FRESH_RUN, [], budget, 8)).toEqual({ refusals: { "": { key: "runs.sweep.wrong.none" } } });
    expect(requestOf(FRESH_RUN, [draft({}), draft({ name: "dropout", log: false })], budget, 1)).toMatchObject({ refusals: { "": { key: "runs.sweep.wrong.many", params: { most: 1, given: 2 } } } });
    expect(requestOf(FRESH_RUN, [draft({ low: "" })], budget, 8)).toMatchObject({ refusals: { lr: { key: "runs.sweep.wrong.number" } } });
  });
});

describe("a task's suggestion", () => {
  it("becomes a program", () => {
    const suggested = { cell: "lstm", hidden_size: 16, steps: 1500, lr: 0.005, optimizer: "adamw", batch_size: 8, length: 50, dropout: 0.2, schedule: null } as unknown as TaskInfo["suggested"];
    const start = startOf({ name: "adding", suggested });
    expect(start).toEqual({ program: { ...FRESH_RUN, task: "adding", cell: "lstm", hidden_size: 16, batch_size: 8, optimizer: { name: "adamw", lr: 0.005 }, length: 50, dropout: 0.2 }, steps: 1500, patience: undefined });
  });

  it("ends its trials with the patience that it has, which is no setting of the program", () => {
    const suggested = { cell: "gru", hidden_size: 24, steps: 800, lr: 0.01, optimizer: "adamw", batch_size: 32, length: null, bidirectional: false, forget_bias: null, dropout: 0, schedule: null, patience: 5 } as TaskInfo["suggested"];
    const { program, patience } = startOf({ name: "sunspots", suggested });
    const request = requestOf(program, [draft({})], { ...budget, patience }, 8);
    expect(request).toMatchObject({ stop: { patience: 5 } });
    expect(Object.keys(program)).not.toContain("patience");
  });
});

describe("optimizers", () => {
  it("are all that a run may have, so that whichever a search begins from can be chosen", () => {
    expect(wordsOf("optimizer").map(({ value, name }) => [value, name])).toEqual(KINDS.map(({ name, title }) => [name, title]));
    for (const { name } of KINDS) expect(drafts({ ...FRESH_RUN, optimizer: { name, lr: 0.01 } }, null).find((one) => one.name === "optimizer")!.words).toContain(name);
  });
});
