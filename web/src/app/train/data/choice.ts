/** What is to be learnt of a data set: which columns, and how. Nothing is changed in place. */
import type { DataColumn, Dataset, DatasetChoice, RunProgram } from "../../../api/types";

/** The task of programs that learn the visitor's own data. */
export const OWN_DATA = "own-data";
export const MOST_BYTES = 10 * 2 ** 20;
/** Characters of a text that are read, unless the choice says otherwise. */
export const USUAL_LENGTH = 64;
const USUAL_WINDOW = 20;

export type Kind = DatasetChoice["kind"];
type Columns = Pick<Dataset, "id" | "rows" | "columns" | "suggestion">;

/** The choice in a program. */
export function choiceOf(program: Pick<RunProgram, "dataset">): DatasetChoice | null {
  return (program.dataset as DatasetChoice | null | undefined) ?? null;
}

/** The change of a program that makes it learn data of one's own, which have the lengths they have. */
export const learningFrom = (dataset: DatasetChoice): Partial<RunProgram> => ({ task: OWN_DATA, dataset, length: null });

/** The columns in a few words. */
export const choiceTitle = (choice: DatasetChoice): string => (choice.kind === "text" ? `${choice.text} → ${choice.label}` : choice.column);

/** Which kinds the columns allow. */
export function kindsOf({ columns }: Pick<Dataset, "columns">): Kind[] {
  const kinds: Kind[] = [];
  if (columns.length > 1) kinds.push("text");
  if (columns.some((column) => column.kind === "number")) kinds.push("series");
  return kinds;
}

/** The longest usual window of which the tenth of the rows that is for validation holds one, with the number after it. */
export function usualWindow(rows: number): number {
  return Math.max(2, Math.min(USUAL_WINDOW, Math.floor(rows / 10) - 1));
}

/** What the server suggests, else what comes nearest; null where the columns allow nothing. */
export function firstChoice(data: Columns): DatasetChoice | null {
  const kind = (data.suggestion?.kind as Kind | undefined) ?? kindsOf(data)[0];
  return kind ? choiceOfKind(data, kind) : null;
}

export function choiceOfKind(data: Columns, kind: Kind): DatasetChoice {
  const { id, suggestion, columns, rows } = data;
  const suggested = suggestion?.kind === kind ? suggestion : null;
  if (kind === "series") return { id, kind, column: String(suggested?.column ?? (columns.findLast(({ kind }) => kind === "number") ?? columns[0]!).name), window: usualWindow(rows) };
  if (suggested) return { id, kind, text: String(suggested.text), label: String(suggested.label) };
  const text = columns.find(({ kind }) => kind === "text") ?? columns[0]!;
  const others = columns.filter((column) => column !== text);
  return { id, kind, text: text.name, label: (others.length > 0 ? fewest(others) : text).name };
}

/** Of two columns that would be the same, the other takes the place that was left. */
export function withColumn(choice: DatasetChoice, place: "text" | "label" | "column", name: string): DatasetChoice {
  if (choice.kind === "series") return place === "column" ? { ...choice, column: name } : choice;
  if (place === "text") return { ...choice, text: name, label: choice.label === name ? choice.text : choice.label };
  if (place === "label") return { ...choice, label: name, text: choice.text === name ? choice.label : choice.text };
  return choice;
}

export const sameChoice = (one: DatasetChoice | null, other: DatasetChoice | null): boolean => choiceKey(one) === choiceKey(other);

/** The same text for choices that learn the same, however they are written. */
export function choiceKey(choice: DatasetChoice | null): string {
  if (choice === null) return "";
  return JSON.stringify(choice.kind === "text" ? [choice.id, choice.text, choice.label, choice.length ?? USUAL_LENGTH] : [choice.id, choice.column, choice.window]);
}

/** A name of a file that holds no text: what makes such files saves CSV as well. */
export const isSpreadsheet = (name: string): boolean => /\.(xlsx?|xlsm|ods|numbers)$/i.test(name);

export const DELIMITERS: Readonly<Record<string, string>> = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "bar" };
export const ENCODINGS: Readonly<Record<Dataset["encoding"], string>> = {
  "utf-8": "UTF-8", "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE", gb18030: "GB18030", "latin-1": "Latin-1", "windows-1252": "Windows-1252",
};

/** A size in the unit that a person would use. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 2 ** 20).toFixed(1)} MiB`;
}

/** The column with the fewest different cells, of those with two or more: it can be a label. */
function fewest(columns: readonly DataColumn[]): DataColumn {
  const usable = columns.filter(({ distinct }) => distinct > 1);
  return (usable.length > 0 ? usable : columns).reduce((least, column) => (column.distinct < least.distinct ? column : least));
}
