/** Runs that would look alike in a list, told apart. */
import type { RunSummary } from "../../api/types";
import { differing, type Setting } from "./compare/comparison";

export interface Difference {
  key: string;
  value: Setting;
}

/** Of each run, by its id, the settings in which it differs from those that `look` the same; none where no other does. */
export function differences<Listed extends Pick<RunSummary, "id" | "program" | "edits" | "stop">>(runs: readonly Listed[], look: (run: Listed) => string): Map<string, Difference[]> {
  const found = new Map<string, Difference[]>();
  const groups = new Map<string, Listed[]>();
  for (const run of runs) groups.set(look(run), [...(groups.get(look(run)) ?? []), run]);
  for (const likes of groups.values()) {
    const rows = differing(likes).filter(({ key }) => key !== "stop.steps");
    likes.forEach((run, i) => found.set(run.id, rows.map(({ key, values }) => ({ key, value: values[i]! })).filter(({ value }) => value !== null)));
  }
  return found;
}
