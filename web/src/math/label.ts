// Names that somebody else chose (a program, an imported graph): as TeX whatever is in them, and short enough to stand in a row.

import { symbol } from "./latex";

const MOST = 24; // characters of a name that is written out

const ESCAPED: Record<string, string> = {
  "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", $: "\\textdollar{}", "&": "\\&", "%": "\\%", "#": "\\#", _: "\\_", "^": "\\textasciicircum{}", "~": "\\textasciitilde{}",
};

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** A text of at most `most` characters: the middle of a longer one is left out. What a person sees as one character stays whole. */
export function shortened(text: string, most = MOST): string {
  if (text.length <= most) return text;
  const characters = Array.from(segmenter.segment(text), ({ segment }) => segment);
  if (characters.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${characters.slice(0, most - 1 - end).join("")}\u2026${characters.slice(-end).join("")}`;
}

/** A name as TeX on one line: a word in italics where it is one, any other as labelTex has it. */
export function nameTex(name: string): string {
  if (!/^[\w.]+$/.test(name) || name.length > MOST) return labelTex(name);
  return name.length === 1 ? name : `\\mathit{${name.replaceAll("_", "\\_")}}`;
}

/** A name as TeX: a symbol where it reads as one (`h_1`), any other as the text that it is. */
export function labelTex(label: string): string {
  // marks that make no letter with the one before them are none that KaTeX reads
  const shown = shortened(label.normalize().replace(/[\u0300-\u036f]/g, "").replace(/[\p{Cc}\s]+/gu, " ").trim()) || "?";
  if (/^[\p{L}\p{N}_.]+$/u.test(shown)) return symbol(shown);
  return `\\text{${[...shown].map((character) => ESCAPED[character] ?? character).join("")}}`;
}
