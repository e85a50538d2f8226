/** The formula editor's side of an expression program: names, inputs as text, examples to start from. */
import type { ExpressionProgram, InputValue } from "../api/types";

export const EXAMPLES: readonly ExpressionProgram[] = [
  { kind: "expression", expression: "tanh(w*x + b)", inputs: { w: 0.5, x: [1, 2], b: 0 }, wrt: ["w", "b"] },
  { kind: "expression", expression: "x*x + 3*x", inputs: { x: 2 }, wrt: ["x"] },
  { kind: "expression", expression: "sigmoid(a*b) * (a + b)", inputs: { a: 1.5, b: -0.5 }, wrt: ["a", "b"] },
  { kind: "expression", expression: "(w*x - y)**2", inputs: { w: 0.8, x: [1, 2, 3], y: [1, 2, 2] }, wrt: ["w"] },
  { kind: "expression", expression: "tanh(w*tanh(w*tanh(w*h)))", inputs: { w: 0.9, h: 0.5 }, wrt: ["w", "h"] },
  { kind: "expression", expression: "exp(-x*x / 2)", inputs: { x: [[-1, 0], [1, 2]] }, wrt: ["x"] },
  { kind: "expression", expression: "h = tanh(w*x + b)\n(h - y)**2", inputs: { w: 0.5, x: [1, 2], b: 0, y: [1, 1] }, wrt: ["w", "b"] },
];

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

/** An expression cut at a place in it, line and column from 1 as the server counts them: in characters, not in UTF-16. */
export function cutAt(expression: string, line: number, column: number): { before: string; at: string; after: string } {
  const lines = expression.split("\n");
  const start = lines.slice(0, line - 1).join("\n") + (line > 1 ? "\n" : "");
  const place = [...start].length + column - 1;
  const characters = [...expression];
  const onBreak = characters[place] === undefined || characters[place] === "\n"; // what is missing there is marked as a blank
  return { before: characters.slice(0, place).join(""), at: onBreak ? "\u00a0" : characters[place]!, after: characters.slice(onBreak ? place : place + 1).join("") };
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
