/** The programs of the films that are compared, and what the panel changes in all of them. Nothing is changed in place. */
import type { CellKind, Checkpoint, NetworkProgram } from "../api/types";
import { LEAST, MOST } from "./count";

const ORDER: readonly CellKind[] = ["rnn", "lstm", "gru"];

/** What a checkpoint was trained as, before or after its training; `example`: the one that is looked at. */
export function programOf(checkpoint: Checkpoint, trained: boolean, example: number | null): NetworkProgram {
  const { data: _, ...program } = checkpoint.program;
  const start = trained ? { start: { checkpoint: checkpoint.name } } : {};
  return { kind: "network", ...(program as unknown as Omit<NetworkProgram, "kind" | "step" | "example">), step: 1, example, ...start };
}

/** The trained network that fits a program: of the same task, cell and size. */
export function checkpointFor(program: NetworkProgram, checkpoints: readonly Checkpoint[]): Checkpoint | null {
  const { task, cell, hidden_size } = program;
  const { layers = 1, bidirectional = false } = program as { layers?: number; bidirectional?: boolean };
  if (layers !== 1 || bidirectional) return null;
  return checkpoints.find(({ program: made }) => made.task === task && made.cell === cell && made.hidden_size === hidden_size) ?? null;
}

/** The value that all programs have; undefined where they differ. */
export function common<Name extends keyof NetworkProgram>(programs: readonly NetworkProgram[], name: Name): NetworkProgram[Name] | undefined {
  const [first, ...rest] = programs;
  return first && rest.every((program) => JSON.stringify(program[name]) === JSON.stringify(first[name])) ? first[name] : undefined;
}

/** A trained network goes where it no longer fits; a start from elsewhere stays, and the server judges it. */
function fitted(program: NetworkProgram, checkpoints: readonly Checkpoint[]): NetworkProgram {
  if (!program.start?.checkpoint || checkpointFor(program, checkpoints)?.name === program.start.checkpoint) return program;
  const { start: _, ...rest } = program;
  return rest;
}

/** The same change in all programs. A task's examples are its own: another task begins with its first one. */
export function changed(programs: readonly NetworkProgram[], change: Partial<NetworkProgram>, checkpoints: readonly Checkpoint[]): NetworkProgram[] {
  return programs.map((program) => {
    const { data, ...kept } = { ...program, ...change };
    const other = change.task !== undefined && change.task !== program.task;
    return fitted(other ? { ...kept, example: 0 } : data === undefined ? kept : { ...kept, data }, checkpoints);
  });
}

/** Every program with its trained parameters, where there are any, or as its seed draws them. */
export function withTraining(programs: readonly NetworkProgram[], trained: boolean, checkpoints: readonly Checkpoint[]): NetworkProgram[] {
  return programs.map((program) => {
    const { start: _, ...rest } = program;
    const checkpoint = trained ? checkpointFor(program, checkpoints) : null;
    return checkpoint ? { ...rest, start: { checkpoint: checkpoint.name } } : rest;
  });
}

export const isTrained = (programs: readonly NetworkProgram[]): boolean => programs.some((program) => program.start !== undefined);

/** Adds the film of a cell, or takes it away, as long as there are two to three. */
export function toggled(programs: readonly NetworkProgram[], cell: CellKind, checkpoints: readonly Checkpoint[]): NetworkProgram[] {
  if (programs.some((program) => program.cell === cell)) {
    const rest = programs.filter((program) => program.cell !== cell);
    return rest.length >= LEAST ? rest : [...programs];
  }
  if (programs.length >= MOST) return [...programs];
  const { start: _, ...like } = programs[0]!;
  const added = withTraining([{ ...like, cell }], isTrained(programs), checkpoints);
  return [...programs, ...added].sort((one, other) => ORDER.indexOf(one.cell) - ORDER.indexOf(other.cell));
}
