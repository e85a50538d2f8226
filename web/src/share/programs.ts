/** What a link holds of a program, read with care: anybody can write a link. The server judges the rest and says what is wrong. */
import type { Program } from "../api/types";
import type { Edit } from "../model/program";

type Members = Record<string, unknown>;

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text = (value: unknown): boolean => typeof value === "string";
const number = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value);
const numberOrNull = (value: unknown): boolean => value === null || number(value);
const texts = (value: unknown): boolean => Array.isArray(value) && value.every(text);
const optimizer = (value: unknown): boolean => isObject(value) && text(value.name) && number(value.lr);

const list = (value: unknown): boolean => Array.isArray(value);

/** What the page itself reads of a program, and has to be of its type where it is given. */
const FIELDS: Record<string, Record<string, (value: unknown) => boolean>> = {
  graph: { nodes: list, edges: list },
  expression: { expression: text, inputs: isObject, wrt: texts },
  network: {
    task: text, cell: text, hidden_size: number, batch_size: number, seed: number, step: number, example: numberOrNull, clip_norm: numberOrNull, optimizer, data: text,
  },
};

/** `value` as a program that a page shows; null when it is none. */
export function readProgram(value: unknown): Program | null {
  if (!isObject(value) || !Object.hasOwn(value, "kind") || typeof value.kind !== "string" || !Object.hasOwn(FIELDS, value.kind)) return null;
  for (const [name, fits] of Object.entries(FIELDS[value.kind]!)) {
    if (Object.hasOwn(value, name) && !fits(value[name])) return null;
  }
  if (value.kind !== "expression") return value as unknown as Program;
  if (!Object.hasOwn(value, "expression") || !Object.hasOwn(value, "inputs")) return null;
  return (Object.hasOwn(value, "wrt") ? value : { ...value, wrt: Object.keys(value.inputs as Members) }) as unknown as Program;
}

/** `value` as edits, as POST …/what-if takes them; null when it is no such list. */
export function readEdits(value: unknown): Edit[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  return value.every((edit) => isObject(edit) && (fitsValue(edit) || fitsMute(edit) || edit.zero_grad === false)) ? (value as Edit[]) : null;
}

const nodeKey = (value: unknown): boolean => text(value) || number(value);
const absent = (edit: Members, name: string): boolean => !Object.hasOwn(edit, name) || edit[name] === null;

function fitsValue(edit: Members): boolean {
  return nodeKey(edit.node) && Object.hasOwn(edit, "value") && (absent(edit, "index") || (Array.isArray(edit.index) && edit.index.every(number)));
}

function fitsMute({ mute }: Members): boolean {
  if (!isObject(mute) || !(absent(mute, "port") || number(mute.port))) return false;
  return absent(mute, "time") ? nodeKey(mute.node) : number(mute.time) && absent(mute, "node");
}

/** A what-if as the program that it changes and its edits; any other value as it is, without edits. Null where the edits cannot be read. */
export function readWhatIf(value: unknown): { program: unknown; edits: Edit[] } | null {
  if (!isObject(value) || value.kind !== "what-if") return { program: value, edits: [] };
  const edits = readEdits(value.edits);
  return edits && { program: value.program, edits };
}

/** `value` as an object of a page of its own; null when it is none. */
export function readPayload(value: unknown): Members | null {
  return isObject(value) ? value : null;
}
