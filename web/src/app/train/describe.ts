/** A run in a few words. */
import type { RunProgram, RunSummary, Scores, TaskInfo, Validation } from "../../api/types";
import { dateAndTime } from "../../i18n/format";
import { t } from "../../i18n/index.svelte";
import type { Language } from "../../i18n/languages";
import { CELLS } from "../program";
import { inLanguage } from "../tasks.svelte";
import { choiceOf, choiceTitle } from "./data/choice";
import { optimizerKind } from "./form/settings";

export function network(program: RunProgram): string {
  const layers = program.layers && program.layers > 1 ? `${program.layers} × ` : "";
  const directions = program.bidirectional ? " ⇄" : "";
  return `${CELLS.find((cell) => cell.value === program.cell)?.name ?? program.cell}${directions} · ${layers}${program.hidden_size}`;
}

export function optimizer(program: RunProgram): string {
  return `${optimizerKind(program.optimizer.name).title} ${Number(program.optimizer.lr.toPrecision(4))}`;
}

export function title(program: RunProgram, tasks: readonly TaskInfo[], lang: Language): string {
  const task = tasks.find((candidate) => candidate.name === program.task);
  if (task) return `${inLanguage(task.title, lang)}${typeof program.length === "number" ? ` (T = ${program.length})` : ""}`;
  const own = choiceOf(program);
  return own ? choiceTitle(own) : program.task;
}

/** As a trial of a search without a name is called by the server: after the search's id. */
const TRIAL = /^s_[0-9a-f]+ #(\d+)$/;

/** The name that it was given, which trial it is, or its task. */
export function runName(run: Pick<RunSummary, "name" | "program">, tasks: readonly TaskInfo[], lang: Language): string {
  const trial = run.name && TRIAL.exec(run.name);
  return trial ? t("app.trial", { number: Number(trial[1]) }) : (run.name ?? title(run.program, tasks, lang));
}

export type Metric = "perplexity" | "accuracy" | "rmse" | "loss";

/** The figure that a validation is judged by, as the server chooses it. */
export function judged(figures: Partial<Record<Metric, number | null>>): { metric: Metric; value: number } | null {
  for (const metric of ["perplexity", "accuracy", "rmse", "loss"] as const) {
    const value = figures[metric];
    if (typeof value === "number") return { metric, value };
  }
  return null;
}

/** A figure as text: a share as per cent, an error as it is. */
export function figure(metric: string, value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : "∞";
  return metric === "accuracy" || metric === "recalled" ? t("app.percent", { value: (value * 100).toFixed(1) }) : metric === "perplexity" ? value.toFixed(2) : value.toFixed(4);
}

/** Examples of a part below which its figures say little. */
export const FEW = 20;

/** What else of a validation is shown beside the figure by which it is judged: that which the baseline is told in, and what only some tasks have. */
export function beside(figures: Validation, baseline: string | null): { metric: "accuracy" | "recalled"; value: number }[] {
  const chief = judged(figures)?.metric;
  return (["accuracy", "recalled"] as const).flatMap((metric) => {
    const value = figures[metric];
    return typeof value === "number" && metric !== chief && (metric === "recalled" || metric === baseline) ? [{ metric, value }] : [];
  });
}

export function score(figures: Validation | Scores): string {
  const found = judged(figures);
  return found ? figure(found.metric, found.value) : "–";
}

export function created(run: Pick<RunSummary, "created">, lang: Language): string {
  return dateAndTime(lang, new Date(run.created));
}
