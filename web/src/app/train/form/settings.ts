/** What the form of a new training holds, and the request that it makes. Nothing is changed in place. */
import type { RunProgram, StopConditions, TaskInfo } from "../../../api/types";
import { OPTIMIZER_NAMES } from "../../../model/program";
import { FRESH_RUN, readNumber, RULES, type NumberRule } from "../../program";

export interface Draft {
  program: RunProgram;
  /** How many steps are trained at once. */
  steps: number;
  stop: Omit<StopConditions, "steps">;
  /** Steps between two validations; null: as often as the server finds right. */
  validateEvery: number | null;
}

export const MOST_STEPS = 20_000;

export const FRESH: Draft = { program: FRESH_RUN, steps: 500, stop: { patience: null, min_delta: null, target: null, seconds: null }, validateEvery: null };

/** One setting of an optimizer or a schedule that is a number; `usual` is the engine's. */
export interface NumberSetting {
  name: string;
  rule: NumberRule;
  usual: number;
}

export interface OptimizerKind {
  name: string;
  title: string;
  lr: number;
  numbers: readonly NumberSetting[];
  /** Settings that are on or off, and off unless they are switched on. */
  switches: readonly string[];
  /** Both decays of Adam, which the program has as one list. */
  betas?: readonly [number, number];
}

const share: NumberRule = { min: 0, max: 1 };
const below: NumberRule = { min: 0, max: 0.999999 };
const epsilon: NumberRule = { above: 0, max: 1 };
const decay: NumberRule = RULES.weight_decay;
const count: NumberRule = { integer: true, min: 1, max: MOST_STEPS };

const ADAM = [
  { name: "eps", rule: epsilon, usual: 1e-8 },
] as const;

/** As server/schemas/optimizers.py has them; a test of the server's description holds both together. */
const RULES_OF: readonly Omit<OptimizerKind, "title">[] = [
  { name: "adamw", lr: 0.01, numbers: [{ name: "weight_decay", rule: decay, usual: 0.01 }, ...ADAM], switches: ["amsgrad"], betas: [0.9, 0.999] },
  { name: "adam", lr: 0.01, numbers: [{ name: "weight_decay", rule: decay, usual: 0 }, ...ADAM], switches: ["amsgrad"], betas: [0.9, 0.999] },
  { name: "sgd", lr: 0.1, numbers: [{ name: "momentum", rule: below, usual: 0 }, { name: "weight_decay", rule: decay, usual: 0 }], switches: ["nesterov"] },
  { name: "rmsprop", lr: 0.01, numbers: [{ name: "alpha", rule: share, usual: 0.99 }, { name: "momentum", rule: below, usual: 0 }, { name: "weight_decay", rule: decay, usual: 0 }, { name: "eps", rule: epsilon, usual: 1e-8 }], switches: ["centered"] },
  { name: "adagrad", lr: 0.01, numbers: [{ name: "lr_decay", rule: decay, usual: 0 }, { name: "initial_accumulator_value", rule: decay, usual: 0 }, { name: "weight_decay", rule: decay, usual: 0 }, { name: "eps", rule: epsilon, usual: 1e-10 }], switches: [] },
];

export const OPTIMIZERS: readonly OptimizerKind[] = RULES_OF.map((rule) => ({ ...rule, title: OPTIMIZER_NAMES[rule.name]! }));

export const SCHEDULES: Readonly<Record<string, readonly NumberSetting[]>> = {
  step: [{ name: "step_size", rule: count, usual: 200 }, { name: "gamma", rule: share, usual: 0.5 }],
  exponential: [{ name: "gamma", rule: share, usual: 0.995 }],
  cosine: [{ name: "T_max", rule: count, usual: 500 }, { name: "eta_min", rule: { min: 0, max: 1000 }, usual: 0 }],
  linear: [{ name: "start_factor", rule: { above: 0, max: 1 }, usual: 1 }, { name: "end_factor", rule: share, usual: 0.1 }, { name: "total_iters", rule: count, usual: 500 }],
  warmup_cosine: [{ name: "warmup_iters", rule: { integer: true, min: 0, max: MOST_STEPS }, usual: 50 }, { name: "total_iters", rule: count, usual: 500 }, { name: "start_factor", rule: share, usual: 0 }, { name: "eta_min", rule: { min: 0, max: 1000 }, usual: 0 }],
};

/** Settings of a schedule that say how many steps it takes: as many as are trained, unless told otherwise. */
const LENGTHS = new Set(["T_max", "total_iters"]);

export const optimizerKind = (name: string): OptimizerKind => OPTIMIZERS.find((kind) => kind.name === name) ?? OPTIMIZERS[0]!;

export function edited(draft: Draft, change: Partial<RunProgram>): Draft {
  return { ...draft, program: { ...draft.program, ...change } };
}

/** Another optimizer: with its own rate and settings, as they are usual. */
export function withOptimizer(draft: Draft, name: string): Draft {
  return draft.program.optimizer.name === name ? draft : edited(draft, { optimizer: { name, lr: optimizerKind(name).lr } });
}

export function withSchedule(draft: Draft, name: string): Draft {
  if (name === "none") return edited(draft, { schedule: null });
  const settings = SCHEDULES[name]!.map((setting) => [setting.name, LENGTHS.has(setting.name) ? draft.steps : setting.usual]);
  return edited(draft, { schedule: { name, ...Object.fromEntries(settings) } });
}

/** More or fewer steps: a schedule that takes as many as are trained goes on doing so; one that was told otherwise stays. */
export function withSteps(draft: Draft, steps: number): Draft {
  const { schedule } = draft.program;
  if (!schedule) return { ...draft, steps };
  const settings = Object.entries(schedule).map(([name, value]) => [name, LENGTHS.has(name) && value === draft.steps ? steps : value]);
  return { ...edited(draft, { schedule: Object.fromEntries(settings) as typeof schedule }), steps };
}

/** Another task has lengths of its own. */
export function withTask(draft: Draft, task: string): Draft {
  const { length: _, dataset: __, ...program } = draft.program;
  return { ...draft, program: { ...program, task } };
}

/** Both directions leave no border over which gradients could be kept from going. */
export function withDirections(draft: Draft, both: boolean): Draft {
  return edited(draft, { bidirectional: both, ...(both && { truncation: null }) });
}

/** The settings with which the task is learnt, as the server suggests them; what it does not speak of is as usual, a length that was chosen stays. */
export function suggested(draft: Draft, { name, suggested: by }: Pick<TaskInfo, "name" | "suggested">): Draft {
  const length = by.length ?? draft.program.length;
  const program: RunProgram = {
    ...FRESH_RUN, task: name, cell: by.cell, hidden_size: by.hidden_size, batch_size: by.batch_size, optimizer: { name: by.optimizer, lr: by.lr }, seed: draft.program.seed,
    ...(typeof length === "number" && { length }),
    ...(by.bidirectional && { bidirectional: true }),
    ...(by.dropout > 0 && { dropout: by.dropout }),
    ...(by.schedule && { schedule: { ...by.schedule } }),
    ...(by.forget_bias !== null && { forget_bias: by.forget_bias }),
    ...(draft.program.dataset && { dataset: draft.program.dataset }),
  };
  return { ...FRESH, program, steps: by.steps, stop: { ...FRESH.stop, patience: by.patience } };
}

/** Whether the draft is what the task's suggestion makes of it. */
export function isSuggested(draft: Draft, task: Pick<TaskInfo, "name" | "suggested">): boolean {
  return JSON.stringify(bodyOf(draft)) === JSON.stringify(bodyOf(suggested(draft, task))) && draft.steps === task.suggested.steps;
}

/**
 * Steps between two validations that show how a training of the draft goes: a tenth of it where an epoch is longer. null: as the server finds
 * right, where patience counts validations or nothing is known of the data.
 */
export function often({ program, steps, stop }: Draft, task: Pick<TaskInfo, "sizes"> | null): number | null {
  if (stop.patience !== null || task === null) return null;
  const epoch = Math.floor(task.sizes.train / Math.min(program.batch_size, task.sizes.train));
  return Math.min(500, Math.max(50, epoch), Math.max(20, Math.ceil(steps / 10)));
}

/** The body of POST /runs. Fields at their defaults are left out, as are those that go with another choice. */
export function bodyOf({ program, stop, validateEvery }: Draft): { program: RunProgram; stop?: Partial<StopConditions>; validate_every?: number } {
  const { length, layers, bidirectional, truncation, dropout, schedule, initialisation, forget_bias, dataset, ...rest } = program;
  const conditions = Object.fromEntries(Object.entries(stop).filter(([name, value]) => value !== null && (name !== "min_delta" || stop.patience !== null)));
  return {
    program: {
      ...rest,
      ...(dataset && { dataset }),
      ...(typeof length === "number" && { length }),
      ...(layers && layers > 1 && { layers }),
      ...(bidirectional && { bidirectional }),
      ...(truncation && !bidirectional && { truncation }),
      ...(dropout && { dropout }),
      ...(schedule && { schedule }),
      ...(initialisation && initialisation !== "pytorch" && { initialisation }),
      ...(typeof forget_bias === "number" && program.cell === "lstm" && { forget_bias }),
    },
    ...(Object.keys(conditions).length > 0 && { stop: conditions }),
    ...(validateEvery !== null && { validate_every: validateEvery }),
  };
}

/** Reasons that the settings do not go together, by the pointer of the field that is to be changed: a message and its numbers. */
export function conflicts({ program, stop, steps }: Draft): Record<string, { key: string; params?: Record<string, number> }> {
  const found: Record<string, { key: string; params?: Record<string, number> }> = {};
  const { optimizer, schedule } = program;
  if (optimizer.nesterov === true && !(Number(optimizer.momentum ?? 0) > 0)) found["/program/optimizer/nesterov"] = { key: "train.wrong.nesterov" };
  if (schedule?.name === "warmup_cosine" && Number(schedule.total_iters) <= Number(schedule.warmup_iters)) {
    found["/program/schedule/total_iters"] = { key: "train.wrong.warmup", params: { warmup: Number(schedule.warmup_iters) } };
  }
  if (stop.min_delta !== null && stop.patience === null) found["/stop/min_delta"] = { key: "train.wrong.min_delta" };
  if (program.truncation && program.bidirectional) found["/program/truncation"] = { key: "train.wrong.truncation" };
  if (readNumber(String(steps), count) === undefined) found["/steps"] = { key: "train.wrong.steps", params: { most: MOST_STEPS } };
  return found;
}

/** The field that a pointer of the server is shown at: itself, or the nearest above it that the form has. */
export function fieldOf(pointer: string, fields: ReadonlySet<string>): string | null {
  for (let at = pointer; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) if (fields.has(at)) return at;
  return null;
}
