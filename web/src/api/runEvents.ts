/**
 * What a run does, as it does it: a stream of events, which the browser takes up again after the last one that it had. Where no stream can be had
 * (too many are open, a proxy keeps them back), the run is read from time to time, and told of in the same events.
 */
import { connection, pause } from "../app/connection.svelte";
import { get, run as readRun } from "./client";
import { decoded } from "./numbers";
import { asProblem, type Problem } from "./problem";
import type { Run, Validation } from "./types";

/** Losses, norms of gradients and learning rates of the steps from `first` on. */
export interface Progress {
  step: number;
  first: number;
  losses: number[];
  gradient_norms: number[];
  learning_rates: number[];
  steps_per_second: number | null;
  seconds_left: number | null;
}

/** A prediction on an example that is watched; with a target at every step all of them are lists. */
export interface FixedPrediction {
  index: number;
  text: string;
  target: number | (number | number[])[];
  prediction: number | (number | number[])[];
  p?: number | number[];
}

/** What was seen of one step. hidden: (time, units), of the first watched example. */
export interface Observation {
  step: number;
  update_ratios: Record<string, number>;
  gradient_through_time: number[];
  hidden: number[][];
  predictions: FixedPrediction[];
  samples?: string[];
}

export type RunStatus = Omit<Run, "program" | "validation" | "history" | "schema_version">;

export interface Listener {
  progress(data: Progress): void;
  observation(data: Observation): void;
  validation(data: Validation): void;
  status(data: RunStatus): void;
  deleted(): void;
  /** The stream was lost and is awaited, or is there again. */
  live(live: boolean): void;
  failed(problem: Problem): void;
}

const POLL = 1000; // ms between two looks at a run without a stream
const AGAIN = 15_000; // ms after which a stream is tried again
const PAGE = 50;
const CLOSED = 2; // what a stream's readyState is when the browser gives it up
const KINDS = ["progress", "observation", "validation", "status"] as const;

/** How far a run is known: the id of the last event, and the last step and observation, which are asked for where there is no stream. */
export interface Mark {
  id: string | null;
  step: number;
  observation: number;
}

const browsers = (): typeof EventSource | null => (typeof EventSource === "undefined" ? null : EventSource);

/** Follows a run from its first step on, or on from `last`, where an earlier one stopped, until `close` is called. */
export function followRun(run: string, last: Mark | null, listener: Listener, Source = browsers()): { close(): Mark } {
  const stop = new AbortController();
  let { id, ...place } = last ?? { id: null, step: 0, observation: 0 };
  let stream: EventSource | null = null;

  function open(): void {
    if (Source === null) return void poll();
    const query = id === null ? "" : `?last_event_id=${encodeURIComponent(id)}`;
    stream = new Source(`api/v1/runs/${encodeURIComponent(run)}/events${query}`);
    stream.onopen = () => {
      connection.answered();
      listener.live(true);
    };
    stream.onerror = () => {
      listener.live(false);
      if (stream?.readyState !== CLOSED) connection.lost(); // the browser comes again by itself
      else void poll();
    };
    for (const kind of KINDS) stream.addEventListener(kind, (event) => take(kind, event as MessageEvent<string>));
    stream.addEventListener("deleted", () => {
      close();
      listener.deleted();
    });
  }

  function take(kind: (typeof KINDS)[number], event: MessageEvent<string>): void {
    id = event.lastEventId || id;
    const data: unknown = decoded(JSON.parse(event.data) as unknown);
    if (kind === "progress") place.step = Math.max(place.step, (data as Progress).step);
    if (kind === "observation") place.observation = Math.max(place.observation, (data as Observation).step);
    (listener[kind] as (data: unknown) => void)(data);
  }

  /** Reads what is new; after a while the stream is tried again. */
  async function poll(): Promise<void> {
    stream?.close();
    stream = null;
    const until = Source === null ? Infinity : performance.now() + AGAIN;
    try {
      while (!stop.signal.aborted && performance.now() < until) {
        await look(run, place, listener, stop.signal);
        await pause(POLL, stop.signal);
      }
      if (!stop.signal.aborted) open();
    } catch (error) {
      const problem = asProblem(error);
      if (problem?.status === 404) listener.deleted();
      else if (problem) listener.failed(problem);
    }
  }

  function close(): Mark {
    stop.abort();
    stream?.close();
    return { id, ...place };
  }

  open();
  return { close };
}

async function look(run: string, place: Omit<Mark, "id">, listener: Listener, signal: AbortSignal): Promise<void> {
  const now = await readRun(run, signal);
  const path = `/runs/${encodeURIComponent(run)}`;
  if (now.step > place.step) {
    const columns = ["loss", "gradient_norm", "lr"].map((name) => `columns=${name}`).join("&");
    const history: { loss: number[]; gradient_norm: number[]; lr: number[] } = decoded(await get<{ loss: number[]; gradient_norm: number[]; lr: number[] }>(`${path}/history?after=${place.step}&${columns}`, signal));
    const first = place.step + 1;
    place.step += history.loss.length;
    listener.progress({ step: place.step, first, losses: history.loss, gradient_norms: history.gradient_norm, learning_rates: history.lr, steps_per_second: now.steps_per_second, seconds_left: now.seconds_left });
  }
  for (;;) {
    const page = decoded(await get<{ items: Observation[] }>(`${path}/observations?after=${place.observation}&limit=${PAGE}`, signal)) as { items: Observation[] };
    for (const item of page.items) listener.observation(item);
    place.observation = page.items.at(-1)?.step ?? place.observation;
    if (page.items.length < PAGE) break;
  }
  for (const validation of now.validation) listener.validation(validation);
  listener.status(now);
  listener.live(true);
}
