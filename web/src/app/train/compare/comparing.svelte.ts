/** The runs that are compared, fetched and kept up to date while one of them trains. */
import { pause } from "../../connection.svelte";
import { gradientNorms, type GradientNorms } from "../../../api/observations";
import * as api from "../../../api/client";
import { asProblem, type Problem } from "../../../api/problem";
import type { Run } from "../../../api/types";

const LOOK = 1500; // ms between two looks at runs that train

export interface Entry {
  id: string;
  run: Run | null;
  gradients: GradientNorms[];
  problem: Problem | null;
}

export class Comparing {
  entries = $state.raw<Entry[]>([]);
  #stop = new AbortController();

  /** Shows these runs, in this order; those that are there already stay as they are until they are fetched again. */
  show(ids: readonly string[]): void {
    this.close();
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.entries = ids.map((id) => this.entries.find((entry) => entry.id === id && entry.problem === null) ?? { id, run: null, gradients: [], problem: null });
    for (const id of ids) void this.#follow(id, signal);
  }

  close(): void {
    this.#stop.abort();
  }

  async #follow(id: string, signal: AbortSignal): Promise<void> {
    try {
      for (;;) {
        const run = await api.run(id, signal);
        const known = this.entries.find((entry) => entry.id === id)?.gradients ?? [];
        const further = await gradientNorms(id, known.at(-1)?.step ?? 0, signal);
        signal.throwIfAborted();
        this.#put(id, { run, gradients: [...known, ...further], problem: null });
        if (run.status !== "training" && run.status !== "paused") return;
        await pause(LOOK, signal);
      }
    } catch (error) {
      const problem = asProblem(error);
      if (problem && !signal.aborted) this.#put(id, { problem });
    }
  }

  #put(id: string, change: Partial<Entry>): void {
    this.entries = this.entries.map((entry) => (entry.id === id ? { ...entry, ...change } : entry));
  }
}
