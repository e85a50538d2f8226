/** The files that a run can be taken along as. */
import { BASE } from "../../../api/client";

export const FORMATS = ["safetensors", "json", "csv", "zip"] as const;
export type Format = (typeof FORMATS)[number];

/** Whether there are weights in the file, which are of one step. */
export const hasWeights = (format: Format): boolean => format === "safetensors" || format === "zip";

export const exportAddress = (run: string, format: Format, step: "best" | "last"): string => `${BASE}/runs/${encodeURIComponent(run)}/export?format=${format}&step=${step}`;
