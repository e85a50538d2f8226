/** The training that a film of its own belongs to, kept as a run: so that it has a curve. */
import * as api from "../api/client";
import * as late from "../api/late";
import type { Run, RunProgram } from "../api/types";
import type { NetworkProgram } from "../model/program";

const POLL = 300; // ms between two looks at a training
const LEAST = 100; // steps: fewer are hardly a curve

/** The run's program; null for one that no run can have: its start or its sequences are its own. */
export function runProgram(program: NetworkProgram): RunProgram | null {
  const { kind: _kind, step: _step, example: _example, part: _part, ...rest } = program;
  return "start" in rest || "sequences" in rest ? null : rest;
}

/** As far as the film's step, and a curve's length at least. */
export const wantedSteps = (program: NetworkProgram): number => Math.max(LEAST, program.step);

/** Creates the run and waits until it is trained; `seen` hears of every look at it. Throws a Problem where the server refuses; given up, the run is no more. */
export async function trainHere(program: RunProgram, steps: number, seen: (run: Run) => void, signal: AbortSignal): Promise<Run> {
  const { id } = await late.createRun(program); // to its end, also where it is given up meanwhile: a run whose id nobody knows could not be deleted
  try {
    signal.throwIfAborted();
    let run = await late.trainSteps(id, steps, signal);
    while (run.status === "training") {
      seen(run);
      await new Promise((done) => setTimeout(done, POLL));
      run = await api.run(id, signal);
    }
    seen(run);
    return run;
  } catch (error) {
    if (signal.aborted) await late.deleteRun(id).catch(() => undefined); // what nobody waits for is not trained to its end
    throw error;
  }
}
