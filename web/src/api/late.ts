/** What of the API no first film needs: it comes with the parts of the page that ask for it. */
import { preferences } from "../app/preferences.svelte";
import { ask, BASE, get, making, post } from "./client";
import { embedded, needsServer } from "./embedded";
import { decoded } from "./numbers";
import type { FieldError } from "./problem";
import type { Bptt, Checkpoint, ExpressionProgram, Figure, Page, Run, RunProgram, RunSummary } from "./types";

/** What is wrong with an expression that is being typed; nothing is stored. */
export function checkExpression(program: ExpressionProgram, signal?: AbortSignal): Promise<{ errors: FieldError[] }> {
  return post("/expressions/check", { program }, signal);
}

/** The trained networks that come with the server. */
export async function checkpoints(signal?: AbortSignal): Promise<Checkpoint[]> {
  return (await get<{ items: Checkpoint[] }>("/checkpoints", signal)).items;
}

export async function createRun(program: RunProgram, signal?: AbortSignal): Promise<Run> {
  return decoded(await post("/runs", { program }, signal, making()));
}

export async function runs(signal?: AbortSignal): Promise<Page<RunSummary>> {
  return decoded(await get("/runs?limit=100", signal));
}

export async function trainSteps(id: string, count: number, signal?: AbortSignal): Promise<Run> {
  return decoded(await post(`/runs/${encodeURIComponent(id)}/steps`, { count }, signal, making()));
}

/** Keeps an address of the page; the short name that leads to it. */
export async function createLink(address: string, signal?: AbortSignal): Promise<string> {
  return (await post<{ id: string }>("/links", { state: { address } }, signal, making())).id;
}

/** Where the trace is answered as a file of another format. */
export function exportAddress(id: string, format: string): string {
  return `${BASE}/traces/${encodeURIComponent(id)}${format === "json" ? "" : `/export/${format}`}`;
}

/** The figure's words are in the language shown; asked for in an effect, it is asked for again when that changes. */
export function lossFigure(id: string, signal?: AbortSignal): Promise<Figure> {
  return get(`/runs/${encodeURIComponent(id)}/figures/loss?lang=${preferences.lang}`, signal);
}

/** Itemised BPTT of one example of the batch, in one recurrence: of a layer and direction, such as `gru/l1_reverse`. */
export async function bptt(id: string, row: number, cell: string, signal?: AbortSignal): Promise<Bptt> {
  return decoded(await get(`/traces/${encodeURIComponent(id)}/bptt?row=${row}&cell=${encodeURIComponent(cell)}`, signal));
}

export type FigureName = "gradient-through-time" | "bptt" | "gradient-histogram" | "update";

/** A figure of a trace in the language shown; of a film saved as a file the one that came along, which is of its whole batch. */
export async function traceFigure(id: string, name: FigureName, query: { row?: number; parameter?: number; of?: "loss" | "jacobian"; cell?: string } = {}, signal?: AbortSignal): Promise<Figure> {
  if (embedded) {
    const saved = embedded.figures[query.of === "jacobian" ? "jacobian" : name]?.[preferences.lang];
    if (!saved || query.parameter !== undefined) throw needsServer();
    return saved;
  }
  const search = new URLSearchParams({ lang: preferences.lang });
  for (const [key, value] of Object.entries(query)) search.set(key, String(value));
  return get(`/traces/${encodeURIComponent(id)}/figures/${name}?${search.toString()}`, signal);
}

export async function deleteRun(id: string, signal?: AbortSignal): Promise<void> {
  await ask(`/runs/${encodeURIComponent(id)}`, { method: "DELETE", signal });
}
