/** Data of the visitor's own, as the Train page knows them: what a choice teaches, and the data that are being looked at. */
import * as api from "../../../api/datasets";
import { Latest } from "../../../api/latest";
import { asProblem, Problem } from "../../../api/problem";
import type { ChosenTask, Dataset, DatasetChoice, DatasetSummary, RunProgram, TaskInfo } from "../../../api/types";
import { taskList } from "../../tasks.svelte";
import { choiceKey, choiceOf, choiceOfKind, firstChoice, isSpreadsheet, MOST_BYTES, type Kind } from "./choice";

/** The tasks of choices, each asked for once. */
class OwnTasks {
  #known = $state.raw<Record<string, TaskInfo>>({});
  readonly #asked = new Set<string>();

  /** Null until it is known, and where the data are gone or somebody else's. */
  of(choice: DatasetChoice): TaskInfo | null {
    const key = choiceKey(choice);
    if (!this.#asked.has(key)) {
      this.#asked.add(key);
      api.chosenTask(choice).then(
        ({ task }) => this.learn(choice, task),
        (error: unknown) => {
          if (asProblem(error)?.offline) this.#asked.delete(key);
        },
      );
    }
    return this.#known[key] ?? null;
  }

  learn(choice: DatasetChoice, task: TaskInfo): void {
    this.#asked.add(choiceKey(choice));
    this.#known = { ...this.#known, [choiceKey(choice)]: task };
  }
}

export const ownTasks = new OwnTasks();

/** The task that a program learns, one of the server's or of the visitor's own data; null until it is known. */
export function taskOf(program: Pick<RunProgram, "task" | "dataset">): TaskInfo | null {
  const choice = choiceOf(program);
  return choice ? ownTasks.of(choice) : taskList.named(program.task);
}

/** The data that are brought: from the text or file, over what was read, to what is to be learnt of it. */
export class OwnData {
  /** What is being pasted. */
  text = $state("");
  earlier = $state.raw<DatasetSummary[]>([]);
  data = $state.raw<Dataset | null>(null);
  choice = $state.raw<DatasetChoice | null>(null);
  /** What would be learnt of the choice. */
  learnt = $state.raw<ChosenTask | null>(null);
  reading = $state(false);
  choosing = $state(false);
  /** Why nothing could be read, kept or deleted. */
  problem = $state.raw<Problem | null>(null);
  /** Why nothing can be learnt of the choice. */
  refused = $state.raw<Problem | null>(null);

  readonly #reading = new Latest();
  readonly #choosing = new Latest();
  #again: (() => Promise<void>) | null = null;

  /** What failed for want of the server is done again. */
  async again(): Promise<void> {
    await this.#again?.();
  }

  async list(): Promise<void> {
    try {
      this.earlier = await api.datasets();
    } catch {
      // earlier data are an offer: what is brought now does not depend on it
    }
  }

  /** name: of the file, where it is one. */
  async bring(data: Blob | string, name = ""): Promise<void> {
    const size = typeof data === "string" ? new TextEncoder().encode(data).length : data.size;
    if (isSpreadsheet(name)) this.problem = new Problem("own.spreadsheet", name, 422);
    else if (size > MOST_BYTES) this.problem = new Problem("file_large", `the file has ${size.toLocaleString("en")} bytes, at most ${MOST_BYTES.toLocaleString("en")} are taken`, 413);
    else await this.#read((signal) => api.bring(data, signal), null);
  }

  /** chosen: what a program already learns of it. */
  async open(id: string, chosen: DatasetChoice | null = null): Promise<void> {
    await this.#read((signal) => api.dataset(id, signal), chosen);
  }

  /** Back to where data are brought. */
  leave(): void {
    this.#reading.cancel();
    this.#choosing.cancel();
    Object.assign(this, { data: null, choice: null, learnt: null, problem: null, refused: null, reading: false, choosing: false });
    void this.list();
  }

  ofKind(kind: Kind): void {
    if (this.data && this.choice?.kind !== kind) void this.choose(choiceOfKind(this.data, kind));
  }

  async choose(choice: DatasetChoice): Promise<void> {
    Object.assign(this, { choice, learnt: null, refused: null, choosing: true });
    try {
      const learnt = await this.#choosing.run((signal) => api.chosenTask(choice, signal));
      if (!learnt) return; // another choice was made
      ownTasks.learn(choice, learnt.task);
      this.learnt = learnt;
    } catch (error) {
      this.refused = asProblem(error);
    }
    this.choosing = false;
  }

  async keep(kept: boolean): Promise<void> {
    const { data } = this;
    if (!data) return;
    await this.#attempt(async () => {
      const now = await api.keepDataset(data.id, kept);
      if (this.data?.id === data.id) this.data = now;
    });
  }

  /** Whether it was deleted. */
  async remove(id: string): Promise<boolean> {
    const done = await this.#attempt(async () => {
      await api.deleteDataset(id).catch((error: unknown) => {
        if (asProblem(error)?.status !== 404) throw error; // gone is gone
      });
      if (this.data?.id === id) this.leave();
      else await this.list();
    });
    return done;
  }

  async #read(request: (signal: AbortSignal) => Promise<Dataset>, chosen: DatasetChoice | null): Promise<void> {
    const done = await this.#attempt(async () => {
      this.reading = true;
      const data = await this.#reading.run(request);
      if (!data) return; // other data are being read
      Object.assign(this, { data, choice: null, learnt: null, refused: null, reading: false });
      const choice = chosen ?? firstChoice(data);
      if (choice) void this.choose(choice);
    });
    if (!done) this.reading = false;
  }

  async #attempt(work: () => Promise<void>): Promise<boolean> {
    this.problem = null;
    this.#again = async () => void (await this.#attempt(work));
    try {
      await work();
      this.#again = null;
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      return false;
    }
  }
}
