// @vitest-environment happy-dom
import { beforeEach, expect, it, vi } from "vitest";
import * as late from "../api/late";
import type { Run, RunProgram } from "../api/types";
import { trainHere } from "./trainHere";

vi.mock("../api/late");

const run = { id: "r_1", status: "idle", step: 100 } as unknown as Run;
const program = { task: "surnames" } as unknown as RunProgram;

beforeEach(() => {
  vi.resetAllMocks();
  vi.mocked(late.trainSteps).mockResolvedValue(run);
  vi.mocked(late.deleteRun).mockResolvedValue(undefined as never);
});

it("deletes the run that was being made when it was given up", async () => {
  const stop = new AbortController();
  vi.mocked(late.createRun).mockImplementation(async () => {
    stop.abort(); // while the server makes it
    return run;
  });
  await expect(trainHere(program, 100, () => undefined, stop.signal)).rejects.toThrow();
  expect(vi.mocked(late.deleteRun).mock.calls).toEqual([["r_1"]]);
  expect(late.trainSteps).not.toHaveBeenCalled();
});

it("keeps a run that was trained", async () => {
  vi.mocked(late.createRun).mockResolvedValue(run);
  expect(await trainHere(program, 100, () => undefined, new AbortController().signal)).toBe(run);
  expect(late.deleteRun).not.toHaveBeenCalled();
});
