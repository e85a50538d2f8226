/** Names of what is compared. */
import type { RunSummary } from "../../../api/types";
import { short } from "../chart/scale";
import { known, t } from "../../../i18n/index.svelte";
import { CELLS, OPTIMIZERS } from "../../program";
import { network, optimizer } from "../describe";
import type { Metric, Setting } from "./comparison";
import "../runWords";

/** A run is A, B, … in all that is said of several. */
export const letter = (index: number): string => String.fromCharCode(65 + index);

export function nameOf(run: Pick<RunSummary, "name" | "program">): string {
  return run.name ?? `${network(run.program)} · ${optimizer(run.program)}`;
}

/** "optimizer.lr" in words; a setting that has none goes by its name in the API. */
export function settingName(key: string): string {
  const plain = `runs.setting.${key.replace(/^(optimizer|schedule|dataset)\./, "").replaceAll(".", "_")}`;
  const own = `runs.setting.${key.replaceAll(".", "_")}`;
  return known(own) ? t(own) : known(plain) ? t(plain) : key;
}

/** A setting's value as the page writes it elsewhere; a dash where there is none. */
export function settingText(key: string, value: Setting): string {
  if (value === null) return "–";
  if (typeof value === "boolean") return t(value ? "runs.yes" : "runs.no");
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : short(value);
  const names: readonly { value: string; name: string }[] = key === "cell" ? CELLS : key === "optimizer" || key === "optimizer.name" ? OPTIMIZERS : [];
  return names.find((one) => one.value === value)?.name ?? value;
}

export const metricName = (metric: Metric): string => t(`runs.metric.${metric}`);

/** What validation says, as text. */
export function scoreText(metric: Metric, value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return metric === "accuracy" ? t("app.percent", { value: (value * 100).toFixed(1) }) : short(value);
}
