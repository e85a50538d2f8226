/** The numbers of a network by the names and shapes of its parameters. */
import type { RunProgram, TaskInfo } from "../../../api/types";

export interface Parameter {
  name: string;
  /** Sizes that are not known here, of data of one's own, are null: the server says where an index is beyond them. */
  shape: (number | null)[];
}

const GATES = { rnn: 1, gru: 3, lstm: 4 } as const;

/** The parameters of a run's network as the server names them: recurrent layers in both directions, then the read-out. */
export function parametersOf(program: Pick<RunProgram, "cell" | "hidden_size" | "layers" | "bidirectional">, task: Pick<TaskInfo, "input_size" | "output_size"> | null): Parameter[] {
  const { cell, hidden_size: size, layers = 1, bidirectional = false } = program;
  const rows = GATES[cell] * size;
  const width = size * (bidirectional ? 2 : 1);
  const found: Parameter[] = [];
  for (let layer = 0; layer < layers; layer++) {
    for (const direction of bidirectional ? ["", "_reverse"] : [""]) {
      const suffix = `_l${layer}${direction}`;
      const inputs = layer === 0 ? (task?.input_size ?? null) : width;
      found.push(
        { name: `rnn.weight_ih${suffix}`, shape: [rows, inputs] }, { name: `rnn.weight_hh${suffix}`, shape: [rows, size] },
        { name: `rnn.bias_ih${suffix}`, shape: [rows] }, { name: `rnn.bias_hh${suffix}`, shape: [rows] },
      );
    }
  }
  return [...found, { name: "head.weight", shape: [task?.output_size ?? null, width] }, { name: "head.bias", shape: [task?.output_size ?? null] }];
}

/** An index as it was typed, "3, 0", in an array of this shape; undefined where it is none of its elements. */
export function readIndex(text: string, shape: readonly (number | null)[]): number[] | undefined {
  const parts = text.split(/[,，\s]+/).filter(Boolean);
  if (parts.length !== shape.length || !parts.every((part) => /^\d{1,6}$/.test(part))) return undefined;
  const index = parts.map(Number);
  return index.every((one, k) => one < (shape[k] ?? Infinity)) ? index : undefined;
}
