/** The formula editor's side of an expression program: names, inputs as text. */
import type { InputValue } from "../api/types";

/** A name that is not called as a function, nor followed by a single `=`: there it is a line's own name or an option's. */
const USED = /(?<![\p{L}\p{N}_.])[\p{L}_][\p{L}\p{N}_]*(?![\p{L}\p{N}_]|\s*\(|\s*=(?!=))/gu;
const ASSIGNED = /(?:^|[;\n])\s*([\p{L}_][\p{L}\p{N}_]*)\s*=(?!=)/gu;
const CONSTANTS = ["True", "False", "None"];

/** The input names of an expression in order of appearance; the names that its lines define are no inputs. */
export function inputNames(expression: string): string[] {
  const text = expression.replace(/#[^\n]*/g, "");
  const names = new Set(Array.from(text.matchAll(USED), (match) => match[0]));
  for (const match of text.matchAll(ASSIGNED)) names.delete(match[1]!);
  for (const constant of CONSTANTS) names.delete(constant);
  return [...names];
}

function isInput(value: unknown): value is InputValue {
  if (Array.isArray(value)) return value.length > 0 && value.every(isInput);
  return typeof value === "number" && Number.isFinite(value);
}

/** A number or lists of numbers from `text`; undefined when it is neither. Brackets round a flat list may be left out. */
export function parseInput(text: string): InputValue | undefined {
  const clean = text.trim().replace(/\u2212/g, "-");
  if (clean === "") return undefined;
  for (const candidate of [clean, `[${clean}]`]) {
    try {
      const value: unknown = JSON.parse(candidate.replace(/(?<![\d.])\.(?=\d)/g, "0."));
      if (isInput(value)) return value;
    } catch {
      // not JSON: the next reading may be
    }
  }
  return undefined;
}

export function formatInput(value: unknown): string {
  return JSON.stringify(value).replaceAll(",", ", ");
}
