/** The formula editor's side of an expression program: names, inputs as text, examples to start from. */
import type { ExpressionProgram, InputValue } from "../api/types";

export const EXAMPLES: readonly ExpressionProgram[] = [
  { kind: "expression", expression: "tanh(w*x + b)", inputs: { w: 0.5, x: [1, 2], b: 0 }, wrt: ["w", "b"] },
  { kind: "expression", expression: "x*x + 3*x", inputs: { x: 2 }, wrt: ["x"] },
  { kind: "expression", expression: "sigmoid(a*b) * (a + b)", inputs: { a: 1.5, b: -0.5 }, wrt: ["a", "b"] },
  { kind: "expression", expression: "(w*x - y)**2", inputs: { w: 0.8, x: [1, 2, 3], y: [1, 2, 2] }, wrt: ["w"] },
  { kind: "expression", expression: "tanh(w*tanh(w*tanh(w*h)))", inputs: { w: 0.9, h: 0.5 }, wrt: ["w", "h"] },
  { kind: "expression", expression: "exp(-x*x / 2)", inputs: { x: [[-1, 0], [1, 2]] }, wrt: ["x"] },
];

/** The input names of an expression in order of appearance: identifiers that are not called as functions. */
export function inputNames(expression: string): string[] {
  const names = new Set<string>();
  for (const match of expression.matchAll(/(?<![\p{L}\p{N}_.])[\p{L}_][\p{L}\p{N}_]*(?!\s*\(|[\p{L}\p{N}_])/gu)) names.add(match[0]);
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
