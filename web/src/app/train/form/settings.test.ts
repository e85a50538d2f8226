import { describe, expect, it } from "vitest";
import type { TaskInfo } from "../../../api/types";
import { bodyOf, conflicts, edited, fieldOf, FRESH, isSuggested, often, optimizerKind, OPTIMIZERS, SCHEDULES, suggested, withDirections, withOptimizer, withSchedule, withSteps, withTask } from "./settings";

const task = { name: "copy-memory", suggested: { cell: "gru", hidden_size: 64, steps: 1000, lr: 0.02, optimizer: "adamw", batch_size: 32, length: null, bidirectional: false, forget_bias: null, dropout: 0, schedule: null, patience: null } } as Pick<TaskInfo, "name" | "suggested">;

describe("the form of a training", () => {
  it("lets a schedule follow the steps until it is told otherwise", () => {
    const draft = withSchedule(withSteps(FRESH, 2000), "cosine");
    const fewer = withSteps(draft, 300);
    expect([fewer.steps, fewer.program.schedule]).toEqual([300, { name: "cosine", T_max: 300, eta_min: 0 }]);
    const told = withSteps(edited(fewer, { schedule: { name: "cosine", T_max: 250, eta_min: 0 } }), 600);
    expect(told.program.schedule).toMatchObject({ T_max: 250 });
    expect(withSteps(FRESH, 7)).toEqual({ ...FRESH, steps: 7 });
  });

  it("asks for no more than was changed", () => {
    expect(bodyOf(FRESH)).toEqual({ program: { task: "surnames", cell: "gru", hidden_size: 16, optimizer: { name: "adamw", lr: 0.01 }, clip_norm: 1, batch_size: 32, seed: 0 } });
    const all = edited(FRESH, { layers: 2, dropout: 0.2, length: 40, truncation: 5, initialisation: "orthogonal", cell: "lstm", forget_bias: 1, schedule: { name: "exponential", gamma: 0.9 } });
    expect(bodyOf({ ...all, validateEvery: 20, stop: { ...FRESH.stop, patience: 3 } })).toMatchObject({
      program: { layers: 2, dropout: 0.2, length: 40, truncation: 5, initialisation: "orthogonal", forget_bias: 1, schedule: { name: "exponential", gamma: 0.9 } },
      stop: { patience: 3 },
      validate_every: 20,
    });
  });

  it("leaves out what goes with another choice", () => {
    const program = bodyOf(edited(FRESH, { cell: "gru", forget_bias: 1, bidirectional: true, truncation: 5 })).program;
    expect(program).not.toHaveProperty("forget_bias");
    expect(program).not.toHaveProperty("truncation");
    expect(bodyOf({ ...FRESH, stop: { ...FRESH.stop, min_delta: 0.1 } })).not.toHaveProperty("stop");
    expect(withDirections(edited(FRESH, { truncation: 5 }), true).program.truncation).toBeNull();
    expect(withTask(edited(FRESH, { length: 100 }), "digits").program).not.toHaveProperty("length");
  });

  it("takes the settings that a task is learnt with, and knows them again", () => {
    const draft = suggested(edited(FRESH, { seed: 7, layers: 3, dropout: 0.5, length: 30 }), task);
    expect(bodyOf(draft)).toEqual({
      program: { task: "copy-memory", cell: "gru", hidden_size: 64, optimizer: { name: "adamw", lr: 0.02 }, clip_norm: 1, batch_size: 32, seed: 7, length: 30 },
    });
    expect([draft.steps, isSuggested(draft, task), isSuggested(edited(draft, { layers: 2 }), task)]).toEqual([1000, true, false]);
  });

  it("takes every setting that is suggested, and a chosen length where none is", () => {
    const schedule = { name: "cosine" as const, T_max: 2000, eta_min: 0 };
    const by = { ...task.suggested, bidirectional: true, dropout: 0.4, schedule, patience: 8, batch_size: 16 };
    const draft = suggested(edited(FRESH, { length: 100 }), { ...task, suggested: by });
    expect(bodyOf(draft)).toMatchObject({ program: { length: 100, bidirectional: true, dropout: 0.4, schedule, batch_size: 16 }, stop: { patience: 8 } });
    expect(isSuggested(draft, { ...task, suggested: by })).toBe(true);
    expect(isSuggested({ ...draft, stop: FRESH.stop }, { ...task, suggested: by })).toBe(false);
    const lstm = suggested(FRESH, { ...task, suggested: { ...task.suggested, cell: "lstm", forget_bias: 1, length: 40 } });
    expect(bodyOf(lstm).program).toMatchObject({ forget_bias: 1, length: 40 });
  });

  it("gives an optimizer its own rate and a schedule as many steps as are trained", () => {
    const sgd = withOptimizer(FRESH, "sgd");
    expect(sgd.program.optimizer).toEqual({ name: "sgd", lr: 0.1 });
    expect(withOptimizer(sgd, "sgd")).toBe(sgd);
    expect(withSchedule({ ...FRESH, steps: 800 }, "cosine").program.schedule).toEqual({ name: "cosine", T_max: 800, eta_min: 0 });
    expect(withSchedule(withSchedule(FRESH, "step"), "none").program.schedule).toBeNull();
    expect(OPTIMIZERS.map(({ name }) => optimizerKind(name).title)).toEqual(["AdamW", "Adam", "SGD", "RMSprop", "Adagrad"]);
    expect(Object.keys(SCHEDULES)).toHaveLength(5);
  });

  it("validates some ten times, or as often as an epoch is over", () => {
    const sizes = (train: number) => ({ sizes: { train, validation: 100, test: 100 } });
    expect(often(FRESH, sizes(16_000))).toBe(50);
    expect(often({ ...FRESH, steps: 5 }, sizes(16_000))).toBe(20);
    expect(often({ ...FRESH, steps: 5000 }, sizes(16_000))).toBe(500);
    expect(often({ ...FRESH, steps: 5000 }, sizes(1600))).toBe(50);
    expect([often({ ...FRESH, stop: { ...FRESH.stop, patience: 3 } }, sizes(16_000)), often(FRESH, null)]).toEqual([null, null]);
  });

  it("says where settings do not go together", () => {
    expect(conflicts(FRESH)).toEqual({});
    const wrong = edited(FRESH, { optimizer: { name: "sgd", lr: 0.1, nesterov: true }, schedule: { name: "warmup_cosine", warmup_iters: 100, total_iters: 100 }, truncation: 4, bidirectional: true });
    expect(Object.keys(conflicts({ ...wrong, steps: 0, stop: { ...FRESH.stop, min_delta: 1 } })).sort()).toEqual(["/program/optimizer/nesterov", "/program/schedule/total_iters", "/program/truncation", "/steps", "/stop/min_delta"]);
  });

  it("finds the field of a pointer of the server", () => {
    const fields = new Set(["/program/hidden_size", "/program/optimizer"]);
    expect(["/program/hidden_size", "/program/optimizer/lr", "/program/optimizer/betas/0", "/program", "/"].map((pointer) => fieldOf(pointer, fields))).toEqual(["/program/hidden_size", "/program/optimizer", "/program/optimizer", null, null]);
  });
});
