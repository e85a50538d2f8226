/** What is fetched of a run to lay it beside others. */
import { get } from "./client";
import { decoded, type Decoded } from "./numbers";
import type { components } from "./openapi";

type Schemas = components["schemas"];

const PAGE = 50; // as many as the server gives at once

/** ‖dL/dh_t‖ for t = 1..T, of the batch of a step. */
export interface GradientNorms {
  step: number;
  norms: number[];
}

/** The gradient through time of every step that was observed after `after`, in order. */
export async function gradientNorms(run: string, after = 0, signal?: AbortSignal): Promise<GradientNorms[]> {
  const all: GradientNorms[] = [];
  for (let next: number | null = after; next !== null; ) {
    const page: Decoded<Schemas["ObservationPage"]> = decoded(await get<Schemas["ObservationPage"]>(`/runs/${encodeURIComponent(run)}/observations?after=${next}&limit=${PAGE}`, signal));
    all.push(...page.items.map((item) => ({ step: item.step, norms: item.gradient_through_time })));
    next = page.next;
  }
  return all;
}
