/** What a search varies: as a form has it, texts as they were typed, and as the API takes it. */
import type { Dimension, SweepRequest } from "../../../api/sweeps";
import type { RunProgram, TaskInfo } from "../../../api/types";
import { CELLS, OPTIMIZERS, readNumber, RULES, type NumberRule } from "../../program";
import { bodyOf, FRESH, suggested } from "../form/settings";

interface Numbers {
  rule: NumberRule;
}
interface Words {
  words: readonly { value: string | boolean; name: string }[];
}

const ASIDE: Record<string, NumberRule> = {
  dropout: { min: 0, max: 0.99 },
  length: { integer: true, min: 1, max: 200 },
};
const whole = (name: keyof typeof RULES): Numbers => ({ rule: { ...RULES[name], optional: false } });

/** Settings that can vary, in the order of the form. */
export const PARAMETERS = {
  lr: whole("lr"),
  hidden_size: whole("hidden_size"),
  cell: { words: CELLS },
  optimizer: { words: OPTIMIZERS },
  layers: whole("layers"),
  bidirectional: { words: [{ value: false, name: "no" }, { value: true, name: "yes" }] },
  dropout: { rule: ASIDE.dropout! },
  weight_decay: whole("weight_decay"),
  momentum: whole("momentum"),
  clip_norm: whole("clip_norm"),
  batch_size: whole("batch_size"),
  truncation: whole("truncation"),
  length: { rule: ASIDE.length! },
  initialisation: { words: [{ value: "pytorch", name: "PyTorch" }, { value: "orthogonal", name: "orthogonal" }] },
  seed: whole("seed"),
} as const satisfies Record<string, Numbers | Words>;
export type Parameter = keyof typeof PARAMETERS;

/** One setting in the form. */
export interface Draft {
  name: Parameter;
  /** Whether it varies. */
  on: boolean;
  mode: "range" | "choices";
  low: string;
  high: string;
  log: boolean;
  /** Numbers, with commas between. */
  list: string;
  /** Of those that are words: the chosen ones. */
  words: (string | boolean)[];
}

/** Why a draft cannot be taken: a key of the catalogue and what it speaks of. */
export interface Refusal {
  key: string;
  params?: Record<string, string | number>;
}

export const ruleOf = (name: Parameter): NumberRule | null => ("rule" in PARAMETERS[name] ? (PARAMETERS[name] as Numbers).rule : null);
export const wordsOf = (name: Parameter): Words["words"] => ("words" in PARAMETERS[name] ? (PARAMETERS[name] as Words).words : []);

const typed = (value: number): string => String(Number(value.toPrecision(3)));

/** Every setting with sensible limits around those of `program`; the learning rate and the hidden size vary. */
export function drafts(program: RunProgram, task: Pick<TaskInfo, "length"> | null): Draft[] {
  const { lr } = program.optimizer;
  const size = program.hidden_size;
  const about: Partial<Record<Parameter, Partial<Draft>>> = {
    lr: { on: true, low: typed(lr / 10), high: typed(lr * 10), log: true },
    hidden_size: { on: true, mode: "choices", low: String(Math.max(1, size >> 1)), high: String(Math.min(256, size * 2)), log: true, list: [...new Set([Math.max(1, size >> 1), size, Math.min(256, size * 2)])].join(", ") },
    cell: { words: CELLS.map((cell) => cell.value) },
    optimizer: { words: [...new Set([program.optimizer.name, "adamw", "sgd"])] },
    layers: { mode: "choices", low: "1", high: "3", list: "1, 2" },
    bidirectional: { words: [false, true] },
    dropout: { low: "0", high: "0.5" },
    weight_decay: { low: "0.0001", high: "0.1", log: true },
    momentum: { low: "0", high: "0.95" },
    clip_norm: { low: "0.1", high: "10", log: true },
    batch_size: { mode: "choices", low: "8", high: "128", log: true, list: "16, 32, 64" },
    truncation: { low: "2", high: "20" },
    length: { mode: "choices", low: String(task?.length?.min ?? 10), high: String(task?.length?.max ?? 50), list: [...new Set([task?.length?.min ?? 10, Math.min(task?.length?.max ?? 50, 50)])].join(", ") },
    initialisation: { words: ["pytorch", "orthogonal"] },
    seed: { mode: "choices", low: "0", high: "9", list: "0, 1, 2" },
  };
  return (Object.keys(PARAMETERS) as Parameter[])
    .filter((name) => name !== "length" || task?.length != null)
    .map((name) => ({ name, on: false, mode: "range", low: "", high: "", log: false, list: "", words: [], ...about[name] }));
}

/** The limits that a draft stands for, or why it has none. */
export function dimensionOf(draft: Draft): Dimension | Refusal {
  const rule = ruleOf(draft.name);
  if (rule === null) return draft.words.length === 0 ? { key: "runs.sweep.wrong.no_word" } : { choices: draft.words };
  if (draft.mode === "choices") {
    const parts = draft.list.split(/[,，;；\s]+/).filter(Boolean);
    const values = parts.map((part) => readNumber(part, rule));
    const bad = values.indexOf(undefined);
    if (parts.length === 0) return { key: "runs.sweep.wrong.no_number" };
    if (bad >= 0) return { key: "runs.sweep.wrong.number", params: { text: parts[bad]!, ...limits(rule) } };
    return { choices: [...new Set(values as number[])] };
  }
  const [low, high] = [readNumber(draft.low, rule), readNumber(draft.high, rule)];
  if (low === undefined || low === null) return { key: "runs.sweep.wrong.number", params: { text: draft.low || "–", ...limits(rule) } };
  if (high === undefined || high === null) return { key: "runs.sweep.wrong.number", params: { text: draft.high || "–", ...limits(rule) } };
  if (low > high) return { key: "runs.sweep.wrong.order", params: { low, high } };
  if (draft.log && low <= 0) return { key: "runs.sweep.wrong.log", params: { low } };
  return { low, high, log: draft.log };
}

function limits(rule: NumberRule): Record<string, string | number> {
  return { low: rule.min ?? (rule.above !== undefined ? `> ${rule.above}` : "−∞"), high: rule.max ?? "∞" };
}

export const refused = (made: Dimension | Refusal): made is Refusal => "key" in made;

/** How many trials all combinations make; null where a range has no end of them. */
export function combinations(dimensions: readonly Dimension[]): number | null {
  return dimensions.every((one) => "choices" in one) ? dimensions.reduce((count, one) => count * (one as { choices: unknown[] }).choices.length, 1) : null;
}

/** Steps of one trial: the server's limit (`STEPS_PER_REQUEST`). */
export const MOST_TRIAL_STEPS = 10_000;

/** What every trial has, unless it varies. patience: the validations without a better one after which a trial ends; null: it goes on. */
export interface Start {
  program: RunProgram;
  steps: number;
  patience: number | null;
}

export interface Budget {
  steps: number;
  patience: number | null;
  trials: number;
  seconds: number | null;
  sampler: SweepRequest["sampler"];
  pruner: SweepRequest["pruner"];
  seed: number;
  name: string;
}

/** What is sent, or the refusals by setting; the key "" is for the form as a whole. */
export function requestOf(program: RunProgram, all: readonly Draft[], budget: Budget, most: number): SweepRequest | { refusals: Record<string, Refusal> } {
  const varied = all.filter((draft) => draft.on);
  const made = varied.map((draft) => [draft.name, dimensionOf(draft)] as const);
  const refusals: Record<string, Refusal> = Object.fromEntries(made.flatMap(([name, one]) => (refused(one) ? [[name, one]] : [])));
  if (varied.length === 0) refusals[""] = { key: "runs.sweep.wrong.none" };
  if (varied.length > most) refusals[""] = { key: "runs.sweep.wrong.many", params: { most, given: varied.length } };
  if (Object.keys(refusals).length > 0) return { refusals };
  const { seconds, name, patience, ...rest } = budget;
  return { program: kept(program), space: Object.fromEntries(made) as Record<string, Dimension>, ...rest, ...(seconds !== null && { seconds }), ...(patience !== null && { stop: { patience } }), ...(name.trim() && { name: name.trim() }) };
}

/** A run's program as another run may start from it: what was changed on its way is its own. */
function kept(program: RunProgram): object {
  const { edits: _, ...rest } = program as RunProgram & { edits?: unknown };
  return rest;
}

/** What a search begins from where a task is chosen: the settings with which that is known to be learnt. */
export function startOf(task: Pick<TaskInfo, "name" | "suggested">): Start {
  const draft = suggested(FRESH, task);
  return { program: bodyOf(draft).program, steps: draft.steps, patience: draft.stop.patience };
}
