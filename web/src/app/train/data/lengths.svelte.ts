/** Tasks as they are with a length that was chosen: their sizes, lengths and baselines are others then. */
import * as api from "../../../api/client";
import { asProblem } from "../../../api/problem";
import type { RunProgram, TaskInfo } from "../../../api/types";

class TasksOfLength {
  #known = $state.raw<Record<string, TaskInfo>>({});
  readonly #asked = new Set<string>();

  /** Each is asked for once. Null until it is known, and where the task has no such length. */
  of(name: string, length: number): TaskInfo | null {
    const key = `${name} ${length}`;
    if (!this.#asked.has(key)) {
      this.#asked.add(key);
      api.taskOfLength(name, length).then(
        (task) => (this.#known = { ...this.#known, [key]: task }),
        (error: unknown) => {
          if (asProblem(error)?.offline) this.#asked.delete(key);
        },
      );
    }
    return this.#known[key] ?? null;
  }
}

const tasksOfLength = new TasksOfLength();

/** The task as the program has it, which `task` is with its usual length; null until that is known. */
export function asChosen(task: TaskInfo | null, { length }: Pick<RunProgram, "length">): TaskInfo | null {
  if (task === null || typeof length !== "number" || !task.length || length === task.length.default) return task;
  return tasksOfLength.of(task.name, length);
}
