/** Elements of SVG, and what CSS writes in lists. Text and attributes go in as data: whatever they hold, they stay that. */

export const SVG = "http://www.w3.org/2000/svg";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const round = (value: number): string => String(Math.round(value * 100) / 100);

export function node(name: string, attributes: Record<string, string | number | null> = {}, children: (Node | string)[] = []): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(key, typeof value === "number" ? round(value) : value);
  }
  element.append(...children);
  return element;
}

/** The parts of a CSS list, split at commas outside of parentheses. */
export function parallel(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < list.length; i++) {
    if (list[i] === "(") depth++;
    else if (list[i] === ")") depth--;
    else if (list[i] === "," && depth === 0) {
      parts.push(list.slice(from, i).trim());
      from = i + 1;
    }
  }
  parts.push(list.slice(from).trim());
  return parts;
}

/** A document as text; characters that XML cannot hold become U+FFFD. */
export function serialized(svg: SVGElement): string {
  return new XMLSerializer().serializeToString(svg).replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "\uFFFD");
}
