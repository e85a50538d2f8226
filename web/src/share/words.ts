/** What a picture says of itself, and what the parts of a link are called. */
import type { Session } from "../app/session.svelte";
import { inLanguage } from "../app/tasks.svelte";
import { t } from "../i18n/index.svelte";

/** "Surname → language · GRU, 4 hidden · step 201 · event 91 / 98". */
export function captionOf(session: Session): string {
  const { trace, film } = session;
  if (!trace || !film) return t("app.nav.network");
  const { program } = trace;
  const made =
    program.kind === "network"
      ? t("share.caption.network", { task: session.task ? inLanguage(session.task.title, session.lang) : program.task, cell: program.cell.toUpperCase(), size: program.hidden_size, step: program.step })
      : program.kind === "expression"
        ? program.expression.replace(/\s*\n\s*/g, "; ")
        : t("app.nav.expression");
  const moment = session.after ? t("share.caption.after") : t("share.caption.event", { moment: session.moment, length: film.length });
  return `${made.length > 90 ? `${made.slice(0, 88)} …` : made} · ${moment}`;
}

/** What names a file of a film: its task, its cell and its step. */
export function partsOf({ trace }: Session): (string | number)[] {
  const { program } = trace!;
  return program.kind === "network" ? [program.task, program.cell, `step-${program.step}`] : [program.kind];
}

/** The names of fields of a link, as a list. */
export function fieldWords(fields: readonly string[]): string {
  return fields.map((field) => t(`share.field.${field}`)).join(t("share.list"));
}
