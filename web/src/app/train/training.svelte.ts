/** The state of the Train page: the runs of this server, the one that is looked at, and its training while it goes on. */
import * as api from "../../api/client";
import { Latest } from "../../api/latest";
import { asProblem, type Problem } from "../../api/problem";
import type { Figure, Run, RunProgram, RunSummary } from "../../api/types";
import { secondsLeft, share, type Sample } from "./progress";

const POLL = 400; // ms between two looks at a training

export class Training {
  runs = $state.raw<RunSummary[]>([]);
  run = $state.raw<Run | null>(null);
  figure = $state.raw<Figure | null>(null);
  loading = $state(true);
  /** Whether this page follows the training; the training itself goes on without it. */
  following = $state(false);
  problem = $state.raw<Problem | null>(null);

  #from = $state(0);
  #samples = $state.raw<Sample[]>([]);
  readonly #requests = new Latest();
  #timer: ReturnType<typeof setTimeout> | null = null;

  readonly busy: boolean = $derived(this.run?.status === "training");
  readonly progress: number = $derived(this.run ? share(this.#from, this.run.step, this.run.requested_step) : 0);
  readonly left: number | null = $derived(this.run ? secondsLeft(this.#samples, this.run.requested_step) : null);

  /** Fetches the list, and the run `id` when one is named. */
  async open(id: string | null): Promise<void> {
    await this.#attempt(async (signal) => {
      this.runs = (await api.runs(signal)).items;
      if (id === null) {
        this.#stop();
        this.run = null;
        this.figure = null;
      } else if (this.run?.id !== id || !this.following) {
        const run = await api.run(id, signal);
        this.#from = run.step;
        await this.#show(run, signal);
      }
    });
    this.loading = false;
  }

  /** A new run; its id, or null when the server refused. */
  async create(program: RunProgram): Promise<string | null> {
    let id: string | null = null;
    await this.#attempt(async (signal) => {
      const run = await api.createRun(program, signal);
      id = run.id;
      this.figure = null;
      await this.#show(run, signal);
    });
    return id;
  }

  async train(count: number): Promise<void> {
    const run = this.run;
    if (!run) return;
    this.#from = run.step;
    await this.#attempt(async (signal) => this.#show(await api.trainSteps(run.id, count, signal), signal));
  }

  /** Looks away; the server trains on. */
  stopFollowing(): void {
    this.#stop();
    this.#requests.cancel();
  }

  follow(): void {
    const run = this.run;
    if (run) void this.#attempt(async (signal) => this.#show(await api.run(run.id, signal), signal));
  }

  /** The curve again, in the language that is shown now. */
  redraw(): void {
    const run = this.run;
    if (run && run.step > 0 && !this.busy) void this.#attempt(async (signal) => void (this.figure = await api.lossFigure(run.id, signal)));
  }

  async remove(id: string): Promise<boolean> {
    return this.#attempt(async (signal) => {
      await api.deleteRun(id, signal);
      this.runs = this.runs.filter((run) => run.id !== id);
      if (this.run?.id === id) {
        this.#stop();
        this.run = null;
        this.figure = null;
      }
    });
  }

  async #show(run: Run, signal: AbortSignal): Promise<void> {
    const moved = this.run?.id !== run.id || this.run.step !== run.step || this.figure === null;
    this.run = run;
    this.runs = this.runs.some((other) => other.id === run.id) ? this.runs.map((other) => (other.id === run.id ? run : other)) : [run, ...this.runs];
    if (run.status === "training") {
      if (!this.following) this.#samples = [];
      this.following = true;
      this.#samples = [...this.#samples, { at: performance.now(), step: run.step }];
      this.#timer = setTimeout(() => this.follow(), POLL);
    } else {
      this.#stop();
    }
    if (moved && run.step > 0) {
      const figure = await api.lossFigure(run.id, signal);
      if (!signal.aborted) this.figure = figure;
    } else if (run.step === 0) {
      this.figure = null;
    }
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.following = false;
  }

  async #attempt(work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    this.problem = null;
    try {
      await this.#requests.run(async (signal) => {
        await work(signal);
        return true;
      });
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      this.#stop();
      return false;
    }
  }
}
