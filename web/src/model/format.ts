// How numbers are written: a printed sign (U+2212 for minus), exact zero as "0", small and large ones as powers of ten.

export const MINUS = "\u2212";
const SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

export function superscript(n: number): string {
  return String(n).replace("-", "\u207b").replace(/\d/g, (d) => SUPERSCRIPTS[Number(d)]!);
}

function special(x: number): string | null {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x < 0 ? `${MINUS}\u221e` : "+\u221e";
  return x === 0 ? "0" : null;
}

const sign = (x: number, plus: boolean): string => (x < 0 ? MINUS : plus ? "+" : "");

const MILLION = 1e6;

/** `digits` decimals; from a million on a power of ten, which is as short for any number. */
export function fixed(x: number, digits: number, plus = true): string {
  return special(x) ?? (Math.abs(x) >= MILLION ? power(x, 2, plus) : sign(x, plus) + Math.abs(x).toFixed(digits));
}

/** m·10ⁿ with `digits` decimals in m. */
export function power(x: number, digits = 0, plus = true): string {
  const word = special(x);
  if (word !== null) return word;
  const [mantissa, exponent] = Math.abs(x).toExponential(digits).split("e") as [string, string];
  return `${sign(x, plus)}${mantissa}\u00b710${superscript(Number(exponent))}`;
}

/** `digits` decimals, or a power of ten where these would round a number to zero or write out a million. */
export function decimals(x: number, digits: number, plus = true): string {
  return Math.abs(x) < 0.5 * 10 ** -digits ? power(x, 0, plus) : fixed(x, digits, plus);
}

/** So many significant digits, signed; a power of ten where the number is far from 1. */
export function significant(x: number, digits: number, plus = true): string {
  const word = special(x);
  if (word !== null) return word;
  const size = Math.abs(x);
  if (size < 1e-4 || size >= MILLION) return power(x, digits - 1, plus);
  // rounding may carry into the next power of ten, so the exponent is that of the rounded number
  const exponent = Number(size.toExponential(digits - 1).split("e")[1]);
  return fixed(x, Math.max(0, digits - 1 - exponent), plus);
}

/** Six significant digits, signed: the number that is explained. */
export const six = (x: number, plus = true): string => significant(x, 6, plus);

/** The same without zeros at its end: 0.9 was given, and not 0.900000. */
export const short = (x: number): string => six(x, false).replace(/(\.\d*?)0+(?=\u00b7|$)/, "$1").replace(/\.(?=\u00b7|$)/, "");

/** Four decimals, signed: sums and the terms of an update. */
export const four = (x: number): string => decimals(x, 4);
/** Three decimals, signed: rows. */
export const three = (x: number): string => decimals(x, 3);
/** Two decimals, signed: tiles. */
export const two = (x: number): string => fixed(x, 2);

/** What a hop multiplies a norm by. */
export function times(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : "\u00d7\u221e";
  return `\u00d7${x !== 0 && (x < 0.005 || x >= 1000) ? x.toExponential(0) : x.toFixed(2)}`;
}

/** A formatted number as TeX. */
export function tex(text: string): string {
  const powers: Record<string, string> = { "\u207b": "-" };
  [...SUPERSCRIPTS].forEach((c, i) => (powers[c] = String(i)));
  return text
    .replace(/[\u207b\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+/g, (s) => `^{${[...s].map((c) => powers[c]).join("")}}`)
    .replaceAll("\u00b7", "\\cdot ")
    .replaceAll("\u221e", "\\infty ")
    .replaceAll(MINUS, "-")
    .replace("NaN", "\\mathrm{NaN}");
}
