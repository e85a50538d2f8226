/** Searches for settings. */
import { preferences } from "../app/preferences.svelte";
import { ask, BASE, get, making, post } from "./client";
import { decoded, type Decoded } from "./numbers";
import type { components } from "./openapi";
import type { Figure, Page } from "./types";

type Schemas = components["schemas"];

export type Sweep = Decoded<Schemas["Sweep"]>;
export type SweepSummary = Decoded<Schemas["SweepState"]>;
export type Trial = Decoded<Schemas["Trial"]>;
export type SweepRequest = Pick<Schemas["SweepRequest"], "space" | "steps" | "trials" | "sampler" | "pruner" | "seed"> & Partial<Pick<Schemas["SweepRequest"], "seconds" | "name" | "stop">> & { program: object };
export type Dimension = Schemas["Range"] | Schemas["Choices"];

const POLL = 2000; // ms between two looks where no stream is to be had
const AGAIN = 1000; // ms after which a stream that broke is opened once more

const path = (id: string): string => `/sweeps/${encodeURIComponent(id)}`;

export async function createSweep(request: SweepRequest, signal?: AbortSignal): Promise<Sweep> {
  return decoded(await post<Schemas["Sweep"]>("/sweeps", request, signal, making()));
}

export async function sweeps(signal?: AbortSignal): Promise<Page<SweepSummary>> {
  return decoded(await get<Page<Schemas["SweepState"]>>("/sweeps?limit=100", signal));
}

export async function sweep(id: string, signal?: AbortSignal): Promise<Sweep> {
  return decoded(await get<Schemas["Sweep"]>(path(id), signal));
}

export async function cancelSweep(id: string): Promise<Sweep> {
  return decoded(await post<Schemas["Sweep"]>(`${path(id)}/cancel`, {}));
}

export async function deleteSweep(id: string): Promise<void> {
  await ask(path(id), { method: "DELETE" });
}

export function importanceFigure(id: string, signal?: AbortSignal): Promise<Figure> {
  return get(`${path(id)}/figures/importance?lang=${preferences.lang}`, signal);
}

/** Tells `on` of the sweep now and at every change, null when it has been deleted. Where the server has no stream to spare it is asked again and again. Ends the watching. */
export function watchSweep(id: string, on: (sweep: Sweep | null) => void): () => void {
  const stop = new AbortController();
  let events: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open(): void {
    events = new EventSource(`${BASE}${path(id)}/events`);
    events.addEventListener("sweep", (event) => on(decoded(JSON.parse(event.data as string) as Schemas["Sweep"])));
    events.addEventListener("deleted", () => {
      end();
      on(null);
    });
    events.addEventListener("error", () => {
      if (events?.readyState !== EventSource.CLOSED || stop.signal.aborted) return; // else the browser comes again by itself
      timer = setTimeout(() => void poll(), AGAIN);
    });
  }

  async function poll(): Promise<void> {
    try {
      const now = await sweep(id, stop.signal);
      if (stop.signal.aborted) return;
      on(now);
      if (now.status === "running") timer = setTimeout(() => void poll(), POLL);
    } catch {
      if (!stop.signal.aborted) timer = setTimeout(() => void poll(), POLL);
    }
  }

  function end(): void {
    stop.abort();
    clearTimeout(timer);
    events?.close();
  }

  open();
  return end;
}
