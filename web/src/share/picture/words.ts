/** Text of the page as SVG text: each line at its place, as wide as it is shown, whichever font another viewer has. */
import { node } from "./svg";

interface Line {
  text: string;
  rect: DOMRect;
}

/** How far the baseline lies under the top of a line of this font, and how high the line is, in px. */
const metrics = new Map<string, { ascent: number; height: number }>();
let measuring: CanvasRenderingContext2D | null = null;

function metricsOf(font: string): { ascent: number; height: number } {
  let known = metrics.get(font);
  if (!known) {
    measuring ??= document.createElement("canvas").getContext("2d")!;
    measuring.font = font;
    const { fontBoundingBoxAscent: ascent, fontBoundingBoxDescent: descent } = measuring.measureText("x");
    known = { ascent, height: ascent + descent };
    metrics.set(font, known);
  }
  return known;
}

/** The lines of a text node, without the white space around them. */
function lines(text: Text): Line[] {
  const { data } = text;
  const start = data.search(/\S/);
  if (start < 0) return [];
  const end = data.trimEnd().length;
  const range = document.createRange();
  range.setStart(text, start);
  range.setEnd(text, end);
  const whole = [...range.getClientRects()].filter(({ width }) => width > 0);
  if (whole.length === 0) return [];
  if (whole.length === 1) return [{ text: data.slice(start, end).replace(/\s+/g, " "), rect: whole[0]! }];
  const found: { text: string; from: DOMRect; to: DOMRect }[] = [];
  let at = start;
  for (const character of data.slice(start, end)) {
    range.setStart(text, at);
    range.setEnd(text, (at += character.length));
    const rect = range.getClientRects()[0];
    if (!rect || rect.width === 0) continue;
    const last = found.at(-1);
    if (last && Math.abs(last.to.top - rect.top) < rect.height / 2 && rect.left >= last.to.left) {
      last.text += character;
      last.to = rect;
    } else if (/\S/.test(character)) {
      found.push({ text: character, from: rect, to: rect });
    }
  }
  return found.map(({ text: words, from, to }) => ({ text: words.trimEnd(), rect: new DOMRect(from.left, from.top, to.right - from.left, from.height) }));
}

/** A single letter of a formula is slanted by MathML itself: the letter that looks so, of the mathematical alphabet. */
function slanted(letter: string): string {
  if (letter === "h") return "\u210E";
  const code = letter.codePointAt(0)!;
  const from = (first: string, target: number): string => String.fromCodePoint(target + code - first.codePointAt(0)!);
  if (/^[A-Z]$/.test(letter)) return from("A", 0x1d434);
  if (/^[a-z]$/.test(letter)) return from("a", 0x1d44e);
  if (/^[α-ω]$/.test(letter)) return from("α", 0x1d6fc);
  if (/^[Α-Ω]$/.test(letter)) return from("Α", 0x1d6e2);
  return letter === "∂" ? "\u{1D715}" : letter;
}

export function textShapes(text: Text, style: CSSStyleDeclaration, scale: number, origin: { x: number; y: number }): SVGElement[] {
  const size = Number.parseFloat(style.fontSize) * scale;
  const { ascent, height } = metricsOf(`${style.fontStyle} ${style.fontWeight} ${size}px ${style.fontFamily}`);
  const parent = text.parentElement;
  const alone = parent?.localName === "mi" && parent.getAttribute("mathvariant") !== "normal" && [...text.data.trim()].length === 1;
  return lines(text).map(({ text: words, rect }) =>
    node("text", {
      x: rect.left - origin.x,
      y: rect.top - origin.y + (rect.height - height) / 2 + ascent,
      textLength: rect.width,
      lengthAdjust: "spacingAndGlyphs",
      "font-family": style.fontFamily,
      "font-size": size,
      "font-weight": style.fontWeight === "400" ? null : style.fontWeight,
      "font-style": style.fontStyle === "normal" ? null : style.fontStyle,
      fill: style.color,
      style: style.fontVariantNumeric.includes("tabular") || style.fontFeatureSettings.includes("tnum") ? "font-feature-settings:'tnum'" : null,
    }, [alone ? slanted(words) : words]),
  );
}
