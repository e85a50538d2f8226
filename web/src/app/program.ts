/** Changes to a program, as the panel makes them. Nothing is changed in place. */
import type { CellKind, NetworkProgram, OptimizerSettings, RunProgram } from "../api/types";
import { OPTIMIZER_NAMES } from "../model/program";

export const CELLS: readonly { value: CellKind; name: string }[] = [
  { value: "rnn", name: "RNN, tanh" },
  { value: "lstm", name: "LSTM" },
  { value: "gru", name: "GRU" },
];

/** All that the server trains with; form/settings.ts has their settings. */
export const OPTIMIZERS: readonly { value: string; name: string }[] = Object.entries(OPTIMIZER_NAMES).map(([value, name]) => ({ value, name }));

/** What a new training starts from. */
export const FRESH_RUN: RunProgram = {
  task: "surnames",
  cell: "gru",
  hidden_size: 16,
  optimizer: { name: "adamw", lr: 0.01 },
  clip_norm: 1,
  batch_size: 32,
  seed: 0,
};

/** Another optimizer keeps the learning rate and the weight decay; the server fills in the options that only it has. */
export function withOptimizer(optimizer: OptimizerSettings, name: string): OptimizerSettings {
  if (optimizer.name === name) return optimizer;
  const kept: OptimizerSettings = { name, lr: optimizer.lr };
  if (typeof optimizer.weight_decay === "number") kept.weight_decay = optimizer.weight_decay;
  return kept;
}

/** Another task has other examples: the film begins with its first one, and the version of the old ones is dropped. */
export function withTask(program: NetworkProgram, task: string): NetworkProgram {
  if (program.task === task) return program;
  const { data: _, ...kept } = program;
  return { ...kept, task, example: program.example === null ? null : 0 };
}

export interface NumberRule {
  integer?: boolean;
  min?: number;
  /** Greater than this. */
  above?: number;
  max?: number;
  /** The empty text is allowed and means null. */
  optional?: boolean;
}

/** What the server takes for the fields of a program. */
export const RULES = {
  hidden_size: { integer: true, min: 1, max: 256 },
  layers: { integer: true, min: 1, max: 4 },
  batch_size: { integer: true, min: 1, max: 256 },
  lr: { above: 0, max: 1000 },
  weight_decay: { min: 0, max: 10 },
  momentum: { min: 0, max: 0.9999 },
  clip_norm: { above: 0, max: 1e9, optional: true },
  truncation: { integer: true, min: 1, max: 200, optional: true },
  seed: { integer: true, min: 0, max: Number.MAX_SAFE_INTEGER },
} as const satisfies Record<string, NumberRule>;

const ROOM = 8; // characters

/** A number of a program as a panel has room for it: four significant digits of one that is longer. Counts are whole. */
export function inShort(value: number): string {
  const all = String(value);
  return Number.isInteger(value) || all.length <= ROOM ? all : String(Number(value.toPrecision(4)));
}

/** The number in `text`, null where that is allowed and nothing is written; undefined when it breaks the rule. */
export function readNumber(text: string, rule: NumberRule): number | null | undefined {
  const clean = text.trim().replace(/\u2212/g, "-");
  if (clean === "") return rule.optional ? null : undefined;
  const value = Number(clean);
  if (!Number.isFinite(value)) return undefined;
  if (rule.integer && !Number.isInteger(value)) return undefined;
  if (rule.min !== undefined && value < rule.min) return undefined;
  if (rule.above !== undefined && value <= rule.above) return undefined;
  if (rule.max !== undefined && value > rule.max) return undefined;
  return value;
}
