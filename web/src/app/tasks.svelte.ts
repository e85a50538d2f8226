/** The tasks of this server, asked for once. */
import * as api from "../api/client";
import type { Localised, TaskInfo } from "../api/types";
import type { Language } from "../i18n/languages";

class TaskList {
  items = $state.raw<TaskInfo[]>([]);
  #asked: Promise<void> | null = null;

  /** Asks the server unless that has been done; a failure is thrown and may be tried again. */
  load(): Promise<void> {
    this.#asked ??= api.tasks().then(
      (items) => {
        this.items = items;
      },
      (error: unknown) => {
        this.#asked = null;
        throw error;
      },
    );
    return this.#asked;
  }

  named(name: string): TaskInfo | null {
    return this.items.find((task) => task.name === name) ?? null;
  }
}

export const taskList = new TaskList();

export function inLanguage(text: Localised, lang: Language): string {
  return text[lang] ?? text.en;
}

/** What class `index` is called. */
export function classTitle(task: Pick<TaskInfo, "classes" | "class_titles"> | null, index: number, lang: Language): string {
  return task?.class_titles?.[lang]?.[index] ?? task?.classes?.[index] ?? String(index);
}
