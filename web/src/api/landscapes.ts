/** Maps of the loss about a network. */
import { pause } from "../app/connection.svelte";
import { ask, get, making, post } from "./client";
import { decoded, type Decoded } from "./numbers";
import type { components } from "./openapi";

type Schemas = components["schemas"];

export type Landscape = Decoded<Schemas["Landscape"]>;
export type LandscapePath = Decoded<Schemas["LandscapePath"]>;
export type LandscapeRequest = Partial<Schemas["LandscapeRequest"]> & Pick<Schemas["LandscapeRequest"], "runs">;

const POLL = 400; // ms between two looks at one in the making

const path = (id: string): string => `/landscapes/${encodeURIComponent(id)}`;

/** Computes a landscape and tells `on` how far it is; gives it when it is done or has failed. Given up, it is ended at the server too. */
export async function computeLandscape(request: LandscapeRequest, on: (landscape: Landscape) => void, signal: AbortSignal): Promise<Landscape> {
  let made: Landscape | null = null;
  try {
    made = decoded(await post<Schemas["Landscape"]>("/landscapes", request, signal, making()));
    on(made);
    while (made.status === "computing") {
      await pause(POLL, signal);
      made = decoded(await get<Schemas["Landscape"]>(path(made.id), signal));
      on(made);
    }
    return made;
  } catch (error) {
    if (made && signal.aborted) await ask(path(made.id), { method: "DELETE" }).catch(() => undefined); // it ends by itself, only later
    throw error;
  }
}
