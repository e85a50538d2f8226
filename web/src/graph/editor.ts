/** The text of a formula with what is marked in it: the place of an error, the bracket at the caret and its partner. */

export type Mark = "error" | "bracket";

export interface Piece {
  text: string;
  marks: readonly Mark[];
}

export interface Span {
  from: number;
  to: number;
}

/** Where line and column lie in a text, as an offset in UTF-16. They count from 1, columns in characters, as the server counts. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const within = [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
  return Math.min(text.length, before + within);
}

/** What stands at an offset: a whole name or number, else one character. At the end of a line it is empty: something is missing there. */
export function wordAt(text: string, from: number): Span {
  const word = /^(?:[\p{L}_][\p{L}\p{N}_]*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/u.exec(text.slice(from))?.[0];
  const character = text.codePointAt(from);
  const length = word?.length ?? (character === undefined || text[from] === "\n" ? 0 : String.fromCodePoint(character).length);
  return { from, to: from + length };
}

const PARTNERS: Record<string, string> = { "(": ")", "[": "]", ")": "(", "]": "[" };

/** The bracket beside the caret (before it first) and its partner; null where there is none, or it has none. */
export function brackets(text: string, caret: number): [number, number] | null {
  for (const at of [caret - 1, caret]) {
    const bracket = text[at];
    const partner = bracket === undefined ? undefined : PARTNERS[bracket];
    if (!bracket || !partner) continue;
    const step = bracket === "(" || bracket === "[" ? 1 : -1;
    let depth = 0;
    for (let i = at; i >= 0 && i < text.length; i += step) {
      if (text[i] === bracket) depth++;
      else if (text[i] === partner && --depth === 0) return step > 0 ? [at, i] : [i, at];
    }
  }
  return null;
}

/** The text line by line, cut where marks begin and end. An error at the end of a line is a blank that is marked. */
export function pieces(text: string, error: Span | null, pair: readonly [number, number] | null): Piece[][] {
  const spans: (Span & { mark: Mark })[] = [];
  if (error) spans.push({ ...error, mark: "error" });
  for (const at of pair ?? []) spans.push({ from: at, to: at + 1, mark: "bracket" });
  let start = 0;
  return text.split("\n").map((line) => {
    const end = start + line.length;
    const cuts = new Set([start, end]);
    for (const span of spans) for (const cut of [span.from, span.to]) if (cut > start && cut < end) cuts.add(cut);
    const places = [...cuts].sort((a, b) => a - b);
    const row: Piece[] = [];
    for (let i = 0; i + 1 < places.length; i++) {
      const [from, to] = [places[i]!, places[i + 1]!];
      row.push({ text: text.slice(from, to), marks: spans.filter((span) => span.from <= from && to <= span.to).map((span) => span.mark) });
    }
    if (error && error.from === error.to && error.from === end) row.push({ text: "\u00a0", marks: ["error"] });
    start = end + 1;
    return row;
  });
}
