/** The API's documents, as docs/api.md writes them. */
import type { Language } from "../i18n/languages";
import type { Example, ExpressionProgram, NetworkProgram, Program, Token } from "../model/trace";

export type { Example, ExpressionProgram, NetworkProgram, Program, Token };

export type CellKind = NetworkProgram["cell"];
export type OptimizerSettings = NetworkProgram["optimizer"];
/** What fixes a training: everything of a network program but the step and the example that are looked at. */
export type RunProgram = Omit<NetworkProgram, "kind" | "step" | "example">;
/** A number, or lists of numbers of any depth. */
export type InputValue = number | InputValue[];

export type Localised = Partial<Record<Language, string>> & { en: string };

export interface TaskInfo {
  name: string;
  title: Localised;
  question: Localised;
  kind: "classification" | "regression";
  display: "letters" | "rows" | "series" | "pairs";
  readout: "last" | "every";
  input_size: number;
  output_size: number;
  classes: string[] | null;
  class_titles?: Partial<Record<Language, string[]>> | null;
  sizes: { train: number; validation: number; test: number };
  lengths: { min: number; max: number };
  baseline: { name: string; value: number; metric: string };
  source: string;
  license: string;
}

export interface Page<Item> {
  items: Item[];
  next: string | number | null;
}

export interface Validation {
  step: number;
  loss: number;
  accuracy?: number;
  rmse?: number;
}

export interface RunSummary {
  id: string;
  program: RunProgram;
  status: "idle" | "training" | "failed";
  error: string | null;
  step: number;
  requested_step: number;
  created: string;
  validation: Validation[];
}

export interface Run extends RunSummary {
  history: { loss: number[]; gradient_norm: number[] };
}

/** A finite-difference check of one gradient. */
export interface Check {
  gradient: number;
  finite_difference: number;
  difference: number;
  epsilon: number;
}

export interface Figure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}
