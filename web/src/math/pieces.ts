// A long formula in pieces that may stand on lines of their own: MathML is not broken by browsers.

const SHORT = 36; // characters of TeX that stand on one line

const OPERATOR = /^(?:[+\-=]|\\(?:cdot|odot|times)(?![a-zA-Z]))/;
const OPEN = new Set(["{", "(", "[", "&"]);

/** The pieces of a formula, each but the first beginning with the operator it was broken before; a short one is whole. Nothing is broken inside braces. */
export function pieces(tex: string): string[] {
  if (tex.length <= SHORT) return [tex];
  const text = tex.replaceAll("\\left(", "(").replaceAll("\\right)", ")");
  if (/\\(?:left|right|begin)\b/.test(text)) return [tex];
  const found: string[] = [];
  let [from, depth, last] = [0, 0, "("];
  for (let i = 0; i < text.length; ) {
    const token = /^(?:\\[a-zA-Z]+|\\.|[^])/.exec(text.slice(i))![0];
    if (token === "{") depth++;
    if (token === "}") depth--;
    const binary = depth === 0 && OPERATOR.test(text.slice(i)) && !OPEN.has(last) && !OPERATOR.test(last);
    if (binary) {
      found.push(text.slice(from, i));
      from = i;
    }
    if (token.trim() !== "") last = token;
    i += token.length;
  }
  found.push(text.slice(from));
  return found.map((piece, i) => (i === 0 ? piece : `{}${piece}`).trim());
}
