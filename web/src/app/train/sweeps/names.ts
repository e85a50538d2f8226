/** What a search is called. */
import type { SweepSummary } from "../../../api/sweeps";
import type { RunProgram } from "../../../api/types";
import { preferences } from "../../preferences.svelte";
import { taskList } from "../../tasks.svelte";
import { settingName } from "../compare/labels";
import { title } from "../describe";

export function sweepName(sweep: Pick<SweepSummary, "name" | "program" | "space">): string {
  const varied = Object.keys(sweep.space).map(settingName).join(", ");
  return sweep.name ?? `${title(sweep.program as unknown as RunProgram, taskList.items, preferences.lang)}: ${varied}`;
}
