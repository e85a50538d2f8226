/** The API of this very server, typed. Addresses are relative, so the page works under any path prefix. */
import { connection } from "../app/connection.svelte";
import { embedded, needsServer } from "./embedded";
import { decoded } from "./numbers";
import type { Edit } from "../model/program";
import { Problem } from "./problem";
import type { Check, Example, Page, Program, Run, RunStep, TaskInfo } from "./types";

export const BASE = "api/v1";

const TRIES = 4; // how often a request is sent that gets no answer, or is put off
const GATEWAY = [502, 504]; // a proxy's words for a server that is not there

/**
 * Sends a request, and again when it was lost or put off: all of ours may come twice (those that make something carry a key, see `making`).
 * Throws a Problem, or an AbortError when it is given up.
 */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  if (embedded) throw needsServer();
  const { signal } = init;
  for (let tries = 1; ; tries++) {
    const response = await sent(`${BASE}${path}`, init);
    if (response instanceof Response) {
      connection.answered();
      if (response.ok) return response;
      const problem = await Problem.from(response);
      const later = problem.retryAfter !== null && [409, 429, 503].includes(response.status);
      if (!later || tries >= TRIES || !(await connection.putOff(problem.retryAfter, signal))) throw problem;
    } else {
      if (tries >= TRIES) throw response; // it came back each time: this request is what does not get through
      connection.lost();
      if (!(await connection.back(signal))) throw response;
    }
  }
}

/** The answer, or the Problem that there is none. */
async function sent(address: string, init: RequestInit): Promise<Response | Problem> {
  try {
    const response = await fetch(address, init);
    return GATEWAY.includes(response.status) ? new Problem("offline", `HTTP ${response.status}`) : response;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    return new Problem("offline", error instanceof Error ? error.message : String(error));
  }
}

/** A key by which the server knows a request that comes again, and answers it as it did. */
export function making(): Record<string, string> {
  return { "Idempotency-Key": Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-") };
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  if (embedded) return embedded.get(path) as T;
  const response = await ask(path, { signal });
  return (await response.json()) as T;
}

/** `further`: headers of what makes something, which is not to be made twice. A trace is named by its content and is the same whenever it is asked for. */
export async function post<T>(path: string, body: unknown, signal?: AbortSignal, further: Record<string, string> = {}): Promise<T> {
  if (embedded) return embedded.post(path, body) as T;
  const response = await ask(path, { method: "POST", headers: { "Content-Type": "application/json", ...further }, body: JSON.stringify(body), signal });
  return (await response.json()) as T;
}

export function opening(signal?: AbortSignal): Promise<unknown> {
  return get("/opening", signal);
}

/** A graph's program is the server's to read. */
export function trace(program: Program | { kind: "graph" }, signal?: AbortSignal): Promise<unknown> {
  return post("/traces", { program }, signal);
}

export function storedTrace(id: string, signal?: AbortSignal): Promise<unknown> {
  return get(`/traces/${encodeURIComponent(id)}`, signal);
}

export async function tasks(signal?: AbortSignal): Promise<TaskInfo[]> {
  return (await get<{ items: TaskInfo[] }>("/tasks", signal)).items;
}

/** The task with sequences of this length. */
export function taskOfLength(name: string, length: number, signal?: AbortSignal): Promise<TaskInfo> {
  return get(`/tasks/${encodeURIComponent(name)}?length=${length}`, signal);
}

export interface ExampleQuery {
  limit?: number;
  after?: string | number | null;
  /** Only examples whose text begins with this. */
  startsWith?: string;
}

export function examples(task: string, query: ExampleQuery = {}, signal?: AbortSignal): Promise<Page<Example>> {
  const search = new URLSearchParams({ part: "train", limit: String(query.limit ?? 50) });
  if (query.after !== undefined && query.after !== null) search.set("after", String(query.after));
  if (query.startsWith) search.set("starts_with", query.startsWith);
  return get(`/tasks/${encodeURIComponent(task)}/examples?${search.toString()}`, signal);
}

export function stepTrace(id: string, step: number, example: number | null, part: "validation" | "test" | null = null, signal?: AbortSignal): Promise<unknown> {
  const search = example === null ? "" : `?example=${example}${part === null ? "" : `&part=${part}`}`;
  return get(`/runs/${encodeURIComponent(id)}/steps/${step}/trace${search}`, signal);
}

export function runStep(id: string, step: number, signal?: AbortSignal): Promise<RunStep> {
  return get(`/runs/${encodeURIComponent(id)}/steps/${step}`, signal);
}

/** What the server keeps under the short name of a link. */
export async function openLink(id: string, signal?: AbortSignal): Promise<{ address?: unknown }> {
  return (await get<{ state: { address?: unknown } }>(`/links/${encodeURIComponent(id)}`, signal)).state;
}

/** The trace of edits of a stored trace. */
export function whatIf(id: string, edits: Edit[], signal?: AbortSignal): Promise<unknown> {
  return post(`/traces/${encodeURIComponent(id)}/what-if`, { edits }, signal);
}

/** Central differences for one element of the gradient of `node`, or of what comes back to it from one `use`. */
export async function check(id: string, node: number, index: number[], use: { node: number; port: number } | null = null, signal?: AbortSignal): Promise<Check> {
  return decoded(await post(`/traces/${encodeURIComponent(id)}/nodes/${node}/check`, { index, ...(use && { use }) }, signal));
}

export async function run(id: string, signal?: AbortSignal): Promise<Run> {
  return decoded(await get(`/runs/${encodeURIComponent(id)}`, signal));
}
