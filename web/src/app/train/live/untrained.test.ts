// @vitest-environment happy-dom
import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Run } from "../../../api/types";
import { load } from "../../../i18n/catalogues";
import { Training } from "../training.svelte";
import "../words";
import Curves from "./Curves.svelte";

await load("en");

const VALIDATED = { id: "r_1", step: 50, status: "idle", reason: "steps", program: { clip_norm: 1 }, edits: [], best: null, validation: [{ step: 50, loss: 1, accuracy: 0.6 }] };
let asked: string[];
let status: number;
let training: Training;
let shown: object | null;

beforeEach(() => {
  vi.useFakeTimers();
  [asked, status, shown] = [[], 200, null];
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(String(url).replace(/^.*?runs\//, ""));
    return new Response(JSON.stringify({ metrics: { loss: 2.9, accuracy: 0.1 }, title: "x", status }), { status });
  });
  training = new Training();
});

afterEach(() => {
  if (shown) void unmount(shown);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function open(run: object): Promise<void> {
  training.run = run as Run;
  const props = { training, get run() { return training.run!; }, baseline: null, onopen: () => undefined };
  shown = mount(Curves, { target: document.body, props });
  await soon();
}

async function soon(): Promise<void> {
  flushSync();
  await vi.advanceTimersByTimeAsync(2000);
  flushSync();
}

it("asks once, of a run that rests, what its network did before its first step", async () => {
  await open({ ...VALIDATED, status: "training" });
  expect(asked).toEqual([]);
  training.run = VALIDATED as unknown as Run;
  await soon();
  expect(asked).toEqual(["r_1/metrics?part=validation&step=0"]);
  expect(training.record.judged()).toEqual([{ step: 0, loss: 2.9, accuracy: 0.1 }]);
  training.run = { ...VALIDATED, status: "training" } as unknown as Run;
  await soon();
  training.run = VALIDATED as unknown as Run;
  await soon();
  expect(asked.length).toBe(1);
});

it("does not ask of a run that was not validated", async () => {
  await open({ ...VALIDATED, validation: [] });
  expect(asked).toEqual([]);
});

it("says nothing where it gets no answer", async () => {
  status = 422;
  await open(VALIDATED);
  expect([asked.length, training.record.untrained, training.refused, training.problem]).toEqual([1, null, null, null]);
});
