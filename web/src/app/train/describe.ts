/** A run in a few words. */
import type { RunProgram, RunSummary, TaskInfo, Validation } from "../../api/types";
import { dateAndTime } from "../../i18n/format";
import type { Language } from "../../i18n/languages";
import { CELLS, OPTIMIZERS } from "../program";
import { inLanguage } from "../tasks.svelte";

export function network(program: RunProgram): string {
  return `${CELLS.find((cell) => cell.value === program.cell)?.name ?? program.cell} · ${program.hidden_size}`;
}

export function optimizer(program: RunProgram): string {
  return `${OPTIMIZERS.find((rule) => rule.value === program.optimizer.name)?.name ?? program.optimizer.name} ${program.optimizer.lr}`;
}

export function title(program: RunProgram, tasks: readonly TaskInfo[], lang: Language): string {
  const task = tasks.find((candidate) => candidate.name === program.task);
  return task ? inLanguage(task.title, lang) : program.task;
}

/** What validation says, as text: a share as per cent, an error as it is. */
export function score(validation: Validation): string {
  return validation.accuracy != null ? `${(validation.accuracy * 100).toFixed(1)} %` : (validation.rmse ?? validation.loss).toFixed(4);
}

export function created(run: RunSummary, lang: Language): string {
  return dateAndTime(lang, new Date(run.created));
}
