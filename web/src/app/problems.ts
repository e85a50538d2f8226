/** What went wrong, in the language of the page: the server gives a code, the catalogue has the words. */
import { preferences } from "./preferences.svelte";
import { Problem, type Saying } from "../api/problem";
import { written } from "../i18n/format";
import { known, t } from "../i18n/index.svelte";

/** What the page says of its own accord, by the title of the problem. */
const OWN: Readonly<Record<string, { title: string; detail: string }>> = {
  offline: { title: "app.error.offline", detail: "app.error.offline_detail" },
  saved_film: { title: "app.error.saved_film", detail: "app.error.saved_film_detail" },
  no_networks: { title: "compare.error.no_networks", detail: "compare.error.no_networks_detail" },
  broken_link: { title: "app.error.broken_link", detail: "share.broken" },
  given_up: { title: "state.given_up", detail: "state.given_up_detail" },
  too_large: { title: "state.too_large", detail: "state.too_large_detail" },
  part: { title: "state.part", detail: "state.part_detail" },
  kept: { title: "state.part", detail: "state.part_kept" },
  version: { title: "state.version", detail: "state.version_detail" },
  lost_link: { title: "share.lost", detail: "share.lost_detail" },
};
const BUSY = new Set(["busy", "rate", "slow", "lost", "database", "streams"]);

const own = (problem: Problem) => OWN[problem.offline ? "offline" : problem.title];

/** The headline of a problem. */
export function headline(problem: Problem): string {
  const said = own(problem);
  if (said) return t(said.title);
  if (problem.status === 401) return t("state.token");
  if (problem.code ? BUSY.has(problem.code) : [429, 503].includes(problem.status ?? 0)) return t("state.busy_title");
  if (problem.status === 404) return t("app.error.not_found");
  const refused = problem.status !== null && problem.status >= 400 && problem.status < 500;
  return t(refused ? "app.error.refused" : "app.error.unexpected");
}

/** What it says and what to do, in the words of the catalogue; null where it has none, and there is only English. fields: of a broken link. */
export function worded(said: Saying, fields = ""): string | null {
  const mine = said instanceof Problem ? own(said) : undefined;
  if (mine) return t(mine.detail, { fields });
  const key = `problem.${said.code?.replaceAll("-", "_")}`;
  if (!said.code || !known(key)) return said instanceof Problem && [429, 503].includes(said.status ?? 0) ? t("state.busy_detail") : null;
  const params = Object.fromEntries(Object.entries(said.params ?? {}).map(([name, value]) => [name, typeof value === "number" ? written(preferences.lang, value) : (value ?? "")]));
  const meant = params.nearest ? t("problem.meant", { nearest: params.nearest }) : "";
  return t(key, { ...params, meant }).replaceAll(/ {2,}/g, " ");
}
