/** Data of the visitor's own: sent, looked at, kept, deleted. */
import { ask, get, making, post } from "./client";
import type { ChosenTask, Dataset, DatasetChoice, DatasetSummary } from "./types";

const at = (id: string, further = ""): string => `/datasets/${encodeURIComponent(id)}${further}`;

/** A file as it is, in whatever encoding, or what was pasted. */
export async function bring(data: Blob | string, signal?: AbortSignal): Promise<Dataset> {
  const response = await ask("/datasets", { method: "POST", headers: { "Content-Type": "text/csv", ...making() }, body: data, signal });
  return (await response.json()) as Dataset;
}

export async function datasets(signal?: AbortSignal): Promise<DatasetSummary[]> {
  return (await get<{ items: DatasetSummary[] }>("/datasets?limit=50", signal)).items;
}

export function dataset(id: string, signal?: AbortSignal): Promise<Dataset> {
  return get(at(id), signal);
}

/** What a network would learn of such a choice; nothing is stored. */
export function chosenTask(choice: DatasetChoice, signal?: AbortSignal): Promise<ChosenTask> {
  return post(at(choice.id, "/task"), { dataset: choice }, signal);
}

export async function keepDataset(id: string, kept: boolean, signal?: AbortSignal): Promise<Dataset> {
  const response = await ask(at(id), { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ kept }), signal });
  return (await response.json()) as Dataset;
}

export async function deleteDataset(id: string, signal?: AbortSignal): Promise<void> {
  await ask(at(id), { method: "DELETE", signal });
}
