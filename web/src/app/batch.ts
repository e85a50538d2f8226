/** Which examples a run's step was done on, and which of them stands for it where all together are too large to be shown. */
import * as api from "../api/client";
import { Problem } from "../api/problem";
import type { RunStep } from "../api/types";
import type { Route } from "./routing";

/** What is asked for again of the same step, one example after the other, is not fetched again: it never changes. */
let last: { key: string; step: Promise<RunStep> } | null = null;

export function batchOf(run: string, step: number): Promise<RunStep> {
  const key = `${run}/${step}`;
  if (last?.key !== key) {
    const found = api.runStep(run, step);
    last = { key, step: found };
    found.catch(() => last?.step === found && (last = null));
  }
  return last.step;
}

/** What stands for a batch: itself, one of its examples where it is too large to be shown, or nothing where these are, too. */
export function standsFor({ whole, examples }: RunStep): "whole" | "nothing" | number {
  return whole.fits ? "whole" : (examples.find(({ fits }) => fits)?.index ?? "nothing");
}

/** The examples before and after one, around the end: those that can be shown. null: it is not of the batch. */
export function neighbours({ examples }: RunStep, index: number): { at: number; count: number; before: number; after: number } | null {
  const shown = examples.filter(({ fits }) => fits);
  const at = shown.findIndex((one) => one.index === index);
  if (at < 0) return null;
  const next = (by: number): number => shown[(at + by + shown.length) % shown.length]!.index;
  return { at: at + 1, count: shown.length, before: next(-1), after: next(1) };
}

/** Where the address of a step leads that is too large to be shown whole: to one example of it. Null: nowhere else, or that is not known. Throws a Problem where nothing of it can be shown. */
export async function insteadOf(route: Route): Promise<Route | null> {
  if (!route.run || !route.step || route.example !== null) return null;
  const batch = await batchOf(route.run, route.step).catch(() => null); // whoever asks for the film is told why
  const shown = batch === null ? "whole" : standsFor(batch);
  if (shown === "nothing") throw new Problem("too_large", "", 0);
  return shown === "whole" ? null : { ...route, link: null, example: shown };
}
