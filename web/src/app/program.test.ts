import { describe, expect, it } from "vitest";
import type { NetworkProgram } from "../api/types";
import { inShort, readNumber, withOptimizer, withTask } from "./program";

const program: NetworkProgram = {
  kind: "network", task: "surnames", cell: "rnn", hidden_size: 4, clip_norm: 1, batch_size: 32, seed: 13, step: 201, example: 7,
  optimizer: { name: "adamw", lr: 0.02, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0.01 },
};

describe("program", () => {
  it("keeps what both optimizers have and drops what only the old one had", () => {
    expect(withOptimizer(program.optimizer, "sgd")).toEqual({ name: "sgd", lr: 0.02, weight_decay: 0.01 });
    expect(withOptimizer(program.optimizer, "adamw")).toBe(program.optimizer);
  });

  it("begins another task with its first example, and keeps a mini-batch a mini-batch", () => {
    expect(withTask(program, "digits")).toMatchObject({ task: "digits", example: 0, step: 201 });
    expect(withTask({ ...program, example: null }, "digits")).toMatchObject({ example: null });
    expect(withTask(program, "surnames")).toBe(program);
  });

  it("keeps the version of the examples as long as the task stays", () => {
    expect(withTask({ ...program, data: "1a2b" }, "surnames")).toHaveProperty("data", "1a2b");
    expect(withTask({ ...program, data: "1a2b" }, "digits")).not.toHaveProperty("data");
  });

  it.each([
    ["0.01", { min: 0 }, 0.01],
    [" 4 ", { integer: true, min: 1 }, 4],
    ["\u22122", {}, -2],
    ["1e-3", {}, 0.001],
    ["", { optional: true }, null],
    ["", {}, undefined],
    ["2.5", { integer: true }, undefined],
    ["0", { min: 1 }, undefined],
    ["300", { max: 256 }, undefined],
    ["abc", {}, undefined],
    ["Infinity", {}, undefined],
  ])("reads %j under %j as %j", (text, rule, expected) => {
    expect(readNumber(text, rule)).toBe(expected);
  });

  it.each([
    [0.01, "0.01"],
    [0.0049692208514, "0.004969"],
    [0.00684004763986346, "0.00684"],
    [1.23456789e-7, "1.235e-7"],
    [1234567890, "1234567890"],
  ])("%s has room as %s", (value, shown) => {
    expect(inShort(value)).toBe(shown);
  });
});
