/** How long a data set is kept, in words. */
import type { DatasetSummary } from "../../../api/types";
import { t } from "../../../i18n/index.svelte";

export function stays({ kept, runs, expires }: Pick<DatasetSummary, "kept" | "runs" | "expires">): string {
  if (kept) return t("own.stays.kept");
  if (runs > 0 || expires === null) return t("own.stays.runs", { count: Math.max(1, runs) });
  return t("own.stays.minutes", { count: Math.max(1, Math.round(expires / 60)) });
}
