/** The fonts of a film saved as a file, to be put into a picture: its style sheet has them within. */

/** The rules of the fonts that a drawing names. */
export async function fontFaces(drawing: SVGElement): Promise<string> {
  const families = new Set([...drawing.querySelectorAll("text")].map((text) => first(text.getAttribute("font-family") ?? "")));
  return [...document.styleSheets]
    .flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule instanceof CSSFontFaceRule && families.has(first(rule.style.getPropertyValue("font-family"))))
    .map((rule) => rule.cssText)
    .join("");
}

/** The first family of a list, without quotes. */
const first = (list: string): string => /^\s*["']?([^"',]+)/.exec(list)?.[1] ?? "";
