/** The state of the Train page: the runs of this visitor, the one that is looked at, and its training while it goes on. */
import * as api from "../../api/client";
import * as late from "../../api/late";
import { Latest } from "../../api/latest";
import { asProblem, Problem } from "../../api/problem";
import { followRun, type Mark, type RunStatus } from "../../api/runEvents";
import * as steering from "../../api/runs";
import type { Run, RunState, RunSummary, Scores } from "../../api/types";
import { taskOf } from "./data/own.svelte";
import { bodyOf, often, type Draft } from "./form/settings";
import { RunRecord } from "./live/record";
import { ticks } from "./ticks.svelte";

export class Training {
  runs = $state.raw<RunSummary[]>([]);
  run = $state.raw<Run | null>(null);
  /** What is known of the run's steps; `version` counts what came in. */
  record = new RunRecord();
  version = $state(0);
  loading = $state(true);
  /** Whether news come as they are made; false while the server is awaited. */
  live = $state(false);
  /** Why nothing can be shown. */
  problem = $state.raw<Problem | null>(null);
  /** Why the last thing that was asked for could not be done. */
  refused = $state.raw<Problem | null>(null);
  /** The steps of a training that was begun and that the server does not report yet; 0: none. */
  beginning = $state(0);
  /** What is being asked for now. */
  asking = $state<string | null>(null);
  /** The step that was chosen; null: the last one. */
  chosen = $state<number | null>(null);
  /** The step that is pointed at. */
  pointed = $state<number | null>(null);

  readonly #requests = new Latest();
  readonly #list = new Latest();
  #stream: { close(): Mark } | null = null;
  /** Up to where the record goes, for the stream to go on from. */
  #mark: Mark | null = null;
  #drawing = false;
  /** How often the stream has told the run's status. */
  #told = 0;

  readonly busy: boolean = $derived(this.run?.status === "training" || this.beginning > 0);
  readonly last: number = $derived((this.version, this.run) ? this.record.length : 0);
  /** The step that is looked at; 0 before the first. */
  readonly step: number = $derived(Math.min(this.pointed ?? this.chosen ?? this.last, this.last));
  /** The base learning rate of the next step. */
  readonly rate: number = $derived(this.run?.edits.at(-1)?.lr ?? this.run?.program.optimizer.lr ?? 0);

  /** Fetches the list, and the run `id` when one is named. What is known of it already is kept, and followed on. */
  async open(id: string | null): Promise<void> {
    this.problem = null;
    this.refused = null;
    const same = id !== null && this.run?.id === id;
    if (!same) this.#forget();
    if (id === null) this.loading = this.runs.length === 0;
    else this.loading = !same;
    try {
      const found = await this.#requests.run(async (signal) => {
        const [list, run] = await Promise.all([late.runs(signal), id === null ? null : api.run(id, signal)]);
        return { list, run };
      });
      if (found === undefined) return;
      this.runs = found.list.items;
      if (found.run) this.#show(found.run);
    } catch (error) {
      this.problem = asProblem(error);
      this.#stop();
    }
    this.loading = false;
  }

  /** Fetches the list again, of runs that others train or this page has not made. What fails is tried again soon enough. */
  async refresh(): Promise<void> {
    try {
      const found = await this.#list.run((signal) => late.runs(signal));
      if (!found) return;
      const { run } = this;
      this.runs = found.items.map((other) => (other.id === run?.id ? run : other));
      const there = new Set(found.items.map(({ id }) => id));
      ticks.runs = this.ticked.filter((id) => there.has(id));
    } catch {
      // the list stays as it is
    }
  }

  /** Makes a run that is about to be trained; its id. Throws a Problem where the server refuses the settings. */
  async make(draft: Draft): Promise<string> {
    const run = await steering.makeRun(bodyOf({ ...draft, validateEvery: draft.validateEvery ?? often(draft, taskOf(draft.program)) }));
    this.#forget();
    this.beginning = draft.steps;
    this.#show(run);
    return run.id;
  }

  async train(count: number): Promise<boolean> {
    const { run } = this;
    const trains = await this.#ask("train", (id) => steering.train(id, count));
    if (!trains && this.run?.id === run?.id) this.beginning = 0;
    return trains;
  }

  steer(how: "pause" | "resume" | "cancel"): Promise<boolean> {
    return this.#ask(how, (id) => steering.steer(id, how));
  }

  /** Another learning rate, from the next step on. */
  setRate(lr: number): Promise<boolean> {
    return this.#ask("rate", async (id) => {
      const edit = await steering.changeRate(id, lr);
      if (this.run?.id === id) this.#merge({ edits: [...this.run.edits.filter((one) => one.step !== edit.step), edit] });
    });
  }

  rename(name: string | null): Promise<boolean> {
    return this.#ask("name", (id) => steering.renameRun(id, name));
  }

  /** Deletes any of the runs. */
  async remove(id: string): Promise<boolean> {
    this.refused = null;
    try {
      await late.deleteRun(id);
    } catch (error) {
      const problem = asProblem(error);
      if (problem?.status !== 404) {
        this.refused = problem;
        return false;
      }
    }
    this.#gone(id);
    return true;
  }

  /** Runs that were ticked to be compared. */
  get ticked(): readonly string[] {
    return ticks.runs;
  }

  tick(id: string, on: boolean): void {
    ticks.runs = [...this.ticked.filter((one) => one !== id), ...(on ? [id] : [])];
  }

  /** Whether a stream is open, or awaited. */
  get follows(): boolean {
    return this.#stream !== null;
  }

  /** Takes up the stream again where it was left. */
  follow(): void {
    const { run } = this;
    if (!run || this.#stream) return;
    this.#stream = followRun(run.id, this.#mark, {
      progress: (data) => {
        this.record.progress(data);
        this.#draw();
        if (this.run && data.step >= this.run.step) this.#merge({ step: data.step, steps_per_second: data.steps_per_second, seconds_left: data.seconds_left });
      },
      observation: (data) => {
        this.record.observation(data);
        this.#draw();
      },
      validation: (data) => {
        this.record.validation(data);
        this.#draw();
        if (this.run) this.#merge({ validation: [...this.record.validations] });
      },
      status: (data) => {
        this.#told += 1;
        this.#merge(data);
      },
      deleted: () => {
        this.#gone(run.id);
        this.problem = new Problem("run_gone", "", 404);
      },
      live: (live) => (this.live = live),
      failed: (problem) => {
        this.#stop();
        this.refused = problem;
      },
    });
  }

  /** Takes up what the untrained network of a run does on the validation part. */
  judgedUntrained(record: RunRecord, { loss, accuracy, rmse, perplexity, recalled }: Scores): void {
    record.untrained = { step: 0, loss, accuracy, rmse, perplexity, recalled };
    this.#draw();
  }

  /** Looks away; the server trains on. */
  leave(): void {
    this.#requests.cancel();
    this.#list.cancel();
    this.#stop();
    this.pointed = null;
  }

  #show(run: Run): void {
    this.run = run;
    const listed = this.runs.some((other) => other.id === run.id);
    this.runs = listed ? this.runs.map((other) => (other.id === run.id ? run : other)) : run.sweep ? this.runs : [run, ...this.runs];
    this.follow();
  }

  #merge(change: Partial<RunStatus> & { validation?: Run["validation"] }): void {
    if (!this.run) return;
    const run = { ...this.run, ...change };
    this.run = run;
    if (run.status !== "idle" || run.reason !== null) this.beginning = 0;
    if ("status" in change || "validation" in change) this.runs = this.runs.map((other) => (other.id === run.id ? run : other));
  }

  /** Counts what came in, once for all of it that is drawn together. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    setTimeout(() => {
      this.#drawing = false;
      this.version += 1;
    }, 16);
  }

  async #ask(what: string, work: (id: string) => Promise<Run | RunState | void>): Promise<boolean> {
    const id = this.run?.id;
    if (id === undefined) return false;
    this.refused = null;
    this.asking = what;
    const told = this.#told;
    try {
      const answer = await work(id);
      if (answer && this.run?.id === id) {
        // what the stream has told meanwhile is newer
        if (told === this.#told) this.#merge({ ...answer, step: Math.max(answer.step, this.record.length), validation: this.run.validation });
        else this.#merge({ name: answer.name });
        this.follow();
      }
      return true;
    } catch (error) {
      this.refused = asProblem(error);
      return false;
    } finally {
      this.asking = null;
    }
  }

  #gone(id: string): void {
    this.runs = this.runs.filter((run) => run.id !== id);
    ticks.runs = this.ticked.filter((one) => one !== id);
    if (this.run?.id === id) this.#forget();
  }

  #forget(): void {
    this.#stop();
    this.#mark = null;
    this.run = null;
    this.beginning = 0;
    this.record = new RunRecord();
    this.version += 1;
    this.chosen = this.pointed = null;
  }

  #stop(): void {
    this.#mark = this.#stream?.close() ?? this.#mark;
    this.#stream = null;
    this.live = false;
  }
}
