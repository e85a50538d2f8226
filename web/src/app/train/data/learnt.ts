/** What would be learnt, in parts of sentences. */
import { locale } from "../../../i18n/format";
import { t } from "../../../i18n/index.svelte";
import type { Language } from "../../../i18n/languages";
import type { TaskInfo } from "../../../api/types";

const NAMED = 8;

/** The first classes by name; more of them are an ellipsis. */
export function names(classes: readonly string[], lang: Language): string {
  const shown = classes.length > NAMED ? [...classes.slice(0, NAMED), "…"] : classes;
  return shown.join(lang === "zh" ? "、" : ", ");
}

/** What is reached without learning: a share as per cent, an error in the data's unit. */
export function baselineText({ baseline }: Pick<TaskInfo, "baseline">, lang: Language): string {
  if (baseline.metric === "accuracy") return t("app.percent", { value: (baseline.value * 100).toFixed(1) });
  return new Intl.NumberFormat(locale(lang), { maximumSignificantDigits: 3 }).format(baseline.value);
}
