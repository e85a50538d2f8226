/** The views of the Train page, told apart by its address. */
import { formatRoute, type Route } from "../routing";

export const VIEWS = ["run", "compare", "sweep", "landscape"] as const;
export type TrainView = (typeof VIEWS)[number];

type Named = Pick<Route, "runs" | "sweep" | "landscape">;

/** The view that an address names: one run, or the list of them, unless it names another. */
export function trainView({ runs, sweep, landscape }: Named): TrainView {
  if (sweep !== null) return "sweep";
  if (landscape !== null) return "landscape";
  return runs === null ? "run" : "compare";
}

/** Where a view begins: a search and a map with the run that one comes from. */
export function beginning(view: TrainView, run: string | null = null): string {
  const begun: Record<TrainView, Partial<Route>> = { run: {}, compare: { runs: [] }, sweep: { sweep: "new", ...(run && { run }) }, landscape: { landscape: run ? [run] : [] } };
  return formatRoute({ page: "train", ...begun[view] });
}
