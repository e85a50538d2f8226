/** What a comparison offers to be shared: its stage as a picture, and each of its films as on a page of its own. */
import { preferences } from "../app/preferences.svelte";
import { formatRoute, parseRoute } from "../app/routing";
import { inLanguage } from "../app/tasks.svelte";
import { t } from "../i18n/index.svelte";
import { momentHash } from "../share/link";
import type { Offer } from "../share/offered";
import type { Comparison } from "./comparison.svelte";
import type { Source } from "./link";
import { common } from "./programs";

/** Where a film is shown alone; no moment of it. */
export function filmAddressOf(source: Source): string {
  return formatRoute("trace" in source ? { page: "network", trace: source.trace } : { page: "network", program: source.program });
}

/** `names`: of the films. */
export function offerOf(comparison: Comparison, names: readonly string[]): Offer {
  const { panes, sources, followed, programs } = comparison;
  const leader = panes[followed]!;
  const task = common(programs, "task");
  return {
    films: panes.map((session, i) => {
      const route = parseRoute(filmAddressOf(sources[i]!));
      return { session, name: names[i]!, route, hash: momentHash(route, session, preferences.lang) };
    }),
    followed,
    caption: t("compare.share.caption", {
      task: task === undefined ? t("compare.title") : leader.task ? inLanguage(leader.task.title, leader.lang) : task,
      films: names.join(" · "), film: names[followed]!, moment: leader.moment, length: leader.film!.length,
    }),
    parts: ["compare", ...(task === undefined ? [] : [task]), ...new Set(programs.map(({ cell }) => cell))],
  };
}
