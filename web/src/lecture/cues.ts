/**
 * Cue lists: moments of one film with what is said of them. A list is a file of its own (`retrograd.cues/1`) that names the program, so that
 * opening it opens the film.
 */
import type { Language } from "../i18n/languages";
import type { Edit, Program } from "../model/program";
import { readEdits, readProgram } from "../share/programs";

export const SCHEMA = "retrograd.cues/1";
export const MOST_CUES = 100;
export const LONGEST = 140; // characters of a caption: two lines of the canvas
export const MOST_BYTES = 1_000_000;
const MOST_COLUMNS = 6;

export interface Cue {
  /** How many events have happened; "after": the forward pass with the new parameters. */
  at: number | "after";
  caption: Record<Language, string>;
  /** The time steps shown; null: those around the moment. */
  columns: number[] | null;
}

export interface CueFile {
  program: Program;
  edits: Edit[];
  /** Row of the batch. */
  row: number;
  cues: Cue[];
}

/** What is wrong with a file: a message of the catalogue. */
export class CueError extends Error {
  override name = "CueError";
  constructor(
    readonly key: string,
    readonly params: Record<string, string | number> = {},
  ) {
    super(`${key} ${JSON.stringify(params)}`);
  }
}

export function writeCues({ program, edits, row, cues }: CueFile): string {
  const list = cues.map(({ at, caption, columns }) => ({ at, caption: { en: caption.en, zh: caption.zh }, ...(columns && { columns }) }));
  return `${JSON.stringify({ schema: SCHEMA, program, ...(edits.length > 0 && { edits }), ...(row !== 0 && { row }), cues: list }, null, 2)}\n`;
}

const short = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** A file's text as a list. Throws CueError, which says what was given and what was expected. */
export function readCues(text: string): CueFile {
  if (text.length > MOST_BYTES) throw new CueError("teach.cues.error.size", { given: text.length, most: MOST_BYTES });
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw new CueError("teach.cues.error.json", { detail: error instanceof Error ? error.message : String(error) });
  }
  const schema = isObject(raw) ? raw.schema : undefined;
  const version = typeof schema === "string" ? /^retrograd\.cues\/(\d{1,6})$/.exec(schema)?.[1] : undefined;
  if (version !== undefined && Number(version) > 1) throw new CueError("teach.cues.error.newer", { given: version, expected: 1 });
  if (!isObject(raw) || schema !== SCHEMA) throw new CueError("teach.cues.error.schema", { given: short(schema), expected: SCHEMA });
  const program = readProgram(raw.program);
  const edits = raw.edits === undefined ? [] : readEdits(raw.edits);
  if (!program || !edits) throw new CueError("teach.cues.error.program");
  const { cues } = raw;
  if (!Array.isArray(cues) || cues.length === 0 || cues.length > MOST_CUES) {
    throw new CueError("teach.cues.error.cues", { given: Array.isArray(cues) ? cues.length : short(cues), most: MOST_CUES });
  }
  const row = Number.isInteger(raw.row) && (raw.row as number) >= 0 ? (raw.row as number) : 0;
  return { program: program as Program, edits, row, cues: cues.map(readCue) };
}

function readCue(raw: unknown, index: number): Cue {
  const number = index + 1;
  const { at, caption, columns } = isObject(raw) ? raw : ({} as Record<string, unknown>);
  if (at !== "after" && !(Number.isInteger(at) && (at as number) >= 0)) throw new CueError("teach.cues.error.at", { number, given: short(at) });
  const written = (text: unknown): text is string => typeof text === "string" && text.length <= LONGEST;
  if (!isObject(caption) || !written(caption.en) || !written(caption.zh)) throw new CueError("teach.cues.error.caption", { number, most: LONGEST });
  const step = (t: unknown): t is number => Number.isInteger(t) && (t as number) >= 1;
  if (columns !== undefined && columns !== null && !(Array.isArray(columns) && columns.length > 0 && columns.length <= MOST_COLUMNS && columns.every(step))) {
    throw new CueError("teach.cues.error.columns", { number, given: short(columns), most: MOST_COLUMNS });
  }
  const ascending = columns ? [...new Set(columns as number[])].sort((one, other) => one - other) : null;
  return { at: at as Cue["at"], caption: { en: caption.en, zh: caption.zh }, columns: ascending };
}

/** That a list fits a film of `length` events; throws CueError where it does not. */
export function fits(cues: readonly Cue[], length: number): void {
  cues.forEach(({ at }, index) => {
    if (at !== "after" && at > length) throw new CueError("teach.cues.error.beyond", { number: index + 1, given: at, length });
  });
}

/** The list with cue `index` moved by `by` places, as far as there are any. */
export function moved(cues: readonly Cue[], index: number, by: number): Cue[] {
  const list = [...cues];
  const [cue] = list.splice(index, 1);
  if (cue) list.splice(Math.max(0, Math.min(list.length, index + by)), 0, cue);
  return list;
}
