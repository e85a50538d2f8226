/** What the films are called: by their cells, and where two have the same one by what tells them apart. */
import type { NetworkProgram } from "../api/types";
import { CELLS } from "../app/program";
import type { Params } from "../i18n/format";

export interface Name {
  cell: string;
  /** Messages of the catalogue. */
  apart: { key: string; params: Params }[];
}

/** key: of the message; that of the start is named by what it is. */
const TELLING: { key?: string; of: (program: NetworkProgram) => string }[] = [
  { of: (program) => (program.start ? "trained" : "untrained") },
  { key: "compare.name.task", of: (program) => program.task },
  { key: "compare.name.hidden", of: (program) => String(program.hidden_size) },
  { key: "compare.name.seed", of: (program) => String(program.seed) },
  { key: "compare.name.step", of: (program) => String(program.step) },
  { key: "compare.name.example", of: (program) => (program.example === null ? "" : String(program.example)) },
  { key: "compare.name.optimizer", of: (program) => program.optimizer.name },
  { key: "compare.name.lr", of: (program) => String(program.optimizer.lr) },
];

/** `edited`: of each, whether something was changed in its film. */
export function namesOf(programs: readonly NetworkProgram[], edited: readonly boolean[]): Name[] {
  return programs.map((program, i) => {
    const cell = CELLS.find(({ value }) => value === program.cell)!.name.replace(", tanh", "");
    const alike = programs.map((_, k) => k).filter((k) => programs[k]!.cell === program.cell);
    const apart = TELLING.filter(({ of }) => alike.some((k) => of(programs[k]!) !== of(program))).map(({ key, of }) => {
      const value = of(program);
      return { key: key ?? `compare.name.${value}`, params: { value } };
    });
    if (alike.some((k) => edited[k] !== edited[i])) apart.push({ key: edited[i] ? "compare.name.edited" : "compare.name.original", params: { value: "" } });
    return { cell, apart };
  });
}
