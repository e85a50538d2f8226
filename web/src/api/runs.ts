/** Runs: made, steered, judged. What is read of them live is in runEvents.ts. */
import { ask, get, making, post } from "./client";
import { decoded } from "./numbers";
import type { MistakePage, Run, RunMetrics, RunProgram, RunState, StopConditions, TestedRun } from "./types";

const at = (id: string, rest = ""): string => `/runs/${encodeURIComponent(id)}${rest}`;
const MOST_AT_ONCE = 10_000; // steps that one request may ask for

export interface NewRun {
  program: RunProgram;
  name?: string;
  stop?: Partial<StopConditions>;
  validate_every?: number;
}

export async function makeRun(body: NewRun, signal?: AbortSignal): Promise<Run> {
  return decoded(await post("/runs", body, signal, making()));
}

/** Asks for `count` more steps, in as many requests as that takes. */
export async function train(id: string, count: number, signal?: AbortSignal): Promise<Run> {
  let run: Run;
  do {
    const part = Math.min(MOST_AT_ONCE, count);
    run = decoded(await post(at(id, "/steps"), { count: part }, signal, making()));
    count -= part;
  } while (count > 0);
  return run;
}

export async function steer(id: string, how: "pause" | "resume" | "cancel", signal?: AbortSignal): Promise<RunState> {
  const response = await ask(at(id, `/${how}`), { method: "POST", signal });
  return decoded(await response.json()) as RunState;
}

/** Another learning rate, from the step that is answered on. */
export async function changeRate(id: string, lr: number, signal?: AbortSignal): Promise<{ step: number; lr: number }> {
  return post(at(id, "/edits"), { lr }, signal, making());
}

/** null takes the name away. */
export async function renameRun(id: string, name: string | null, signal?: AbortSignal): Promise<RunState> {
  const response = await ask(at(id), { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name }), signal });
  return decoded(await response.json()) as RunState;
}

export type WhichStep = "best" | "last" | number;

export async function metrics(id: string, step: WhichStep, signal?: AbortSignal, part: "train" | "validation" = "validation"): Promise<RunMetrics> {
  return decoded(await get(at(id, `/metrics?part=${part}&step=${step}`), signal));
}

/** The examples of the validation part that the network gets wrong, the worst first, after the cursor of an earlier page. */
export async function mistakes(id: string, step: WhichStep, after: number | null = null, signal?: AbortSignal): Promise<MistakePage> {
  return decoded(await get(at(id, `/mistakes?part=validation&limit=10&step=${step}${after === null ? "" : `&after=${after}`}`), signal));
}

/** The figures on the test part; computed once, and the same ever after. */
export async function test(id: string, step: WhichStep, signal?: AbortSignal): Promise<TestedRun> {
  return decoded(await post(at(id, "/test"), { step }, signal));
}

export async function tested(id: string, signal?: AbortSignal): Promise<TestedRun> {
  return decoded(await get(at(id, "/test"), signal));
}
