/** Addresses of the Train page's views. */
import { formatRoute } from "../routing";

export const runAddress = (id: string): string => formatRoute({ page: "train", run: id });
export const comparisonAddress = (ids: readonly string[]): string => formatRoute({ page: "train", runs: [...ids] });
export const sweepAddress = (id: string): string => formatRoute({ page: "train", sweep: id });
/** The form of a search that begins from a run's settings. */
export const searchAddress = (run: string): string => formatRoute({ page: "train", sweep: "new", run });
export const landscapeAddress = (ids: readonly string[]): string => formatRoute({ page: "train", landscape: [...ids] });
