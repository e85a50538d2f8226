// What makes a film: a program, and the edits that make another film of it. As the API takes them.

/** The optimizers that the server trains with, as they are written. */
export const OPTIMIZER_NAMES: Readonly<Record<string, string>> = { adamw: "AdamW", adam: "Adam", sgd: "SGD", rmsprop: "RMSprop", adagrad: "Adagrad" };

export interface ExpressionProgram {
  kind: "expression";
  expression: string;
  inputs: Record<string, unknown>;
  wrt: string[];
}

export interface NetworkProgram {
  kind: "network";
  task: string;
  cell: "rnn" | "lstm" | "gru";
  hidden_size: number;
  /** Left out: one layer, one direction. */
  layers?: number;
  bidirectional?: boolean;
  /** No gradient goes back over the border after every so many steps; left out or null: none is truncated. Of one direction alone. */
  truncation?: number | null;
  /** Steps of a sequence, of a task that is generated; left out: as the task has them. */
  length?: number | null;
  initialisation?: "pytorch" | "orthogonal";
  /** What the forget gates of an LSTM start with. */
  forget_bias?: number | null;
  dropout?: number;
  optimizer: { name: string; lr: number; [setting: string]: unknown };
  schedule?: { name: string; [setting: string]: unknown } | null;
  /** Learning rates that were set on the way. */
  edits?: { step: number; lr: number }[];
  /** Data of the visitor's own, in place of a task. */
  dataset?: { id: string; [choice: string]: unknown } | null;
  clip_norm: number | null;
  batch_size: number;
  seed: number;
  step: number;
  example: number | null;
  /** The part of the data that the example is of; left out: the training part. */
  part?: "train" | "validation" | "test";
  /** The parameters it starts from, where its seed does not draw them: those of a trained network that comes with the server. */
  start?: { checkpoint: string; version?: string };
  /** Version of the task's examples that the program was made with; the server refuses another. */
  data?: string;
}

export type Program = ExpressionProgram | NetworkProgram;

/** Another value for a node, or for one of its elements. */
export interface ValueEdit {
  node: number | string;
  index?: number[] | null;
  value: unknown;
}

/** No gradient comes back through what a node reads (its input `port`, or all of them), or to the parameters from their uses at one time step. */
export interface MuteEdit {
  mute: { node?: number | string | null; port?: number | null; time?: number | null };
}

/** The gradients that there are, are added to. */
export interface KeepEdit {
  zero_grad: false;
}

/** A change of a film, as POST …/what-if takes it. */
export type Edit = ValueEdit | MuteEdit | KeepEdit;

/** A program whose film is that of another with edits. */
export interface WhatIf {
  kind: "what-if";
  parent: string;
  program: Program | WhatIf;
  edits: Edit[];
}
