// TeX to MathML, each formula rendered once.

import katex from "katex";
import { Recent } from "../model/recent";

// One moment shows some thirty, of which most hold numbers and come back only when the film goes back: more would be kept for nothing.
const rendered = new Recent<string, string>(300);

/** MathML of a formula. What KaTeX cannot read is shown as it was written, in the ink of its place; nothing is thrown. */
export function renderTex(tex: string, display: boolean): string {
  const key = `${display ? "d" : "i"}${tex}`;
  let html = rendered.get(key);
  if (html === undefined) {
    try {
      html = katex.renderToString(tex, { displayMode: display, output: "mathml", strict: "ignore" });
    } catch (error) {
      if (!(error instanceof katex.ParseError)) throw error;
      html = `<span class="tex-unread">${tex.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)}</span>`;
    }
    rendered.set(key, html);
  }
  return html;
}

export interface Segment {
  kind: "text" | "tex";
  text: string;
  bold: boolean;
}

/** The parts of a text with `$TeX$` and `**bold**`; formulas may stand inside bold. */
export function segments(text: string): Segment[] {
  const list: Segment[] = [];
  let bold = false;
  text.split("$").forEach((part, i) => {
    if (i % 2 === 1) {
      list.push({ kind: "tex", text: part, bold });
      return;
    }
    part.split("**").forEach((words, k) => {
      if (k > 0) bold = !bold;
      if (words !== "") list.push({ kind: "text", text: words, bold });
    });
  });
  return list;
}
