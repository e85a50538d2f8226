/**
 * What the page shows, as SVG: real shapes and real text, which every viewer and drawing program reads. Follows the elements in the order
 * in which they lie over each other here (that of the document, then by z-index), clipped as they are.
 */
import { boxShapes, visible } from "./boxes";
import { node, SVG, type Box } from "./svg";
import { textShapes } from "./words";

const PRESENTATION = [
  "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "stroke-opacity",
  "opacity", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "paint-order", "visibility", "stop-color", "stop-opacity",
];
const GEOMETRY = new Set([
  "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "width", "height", "d", "points", "transform", "viewBox", "preserveAspectRatio", "dx", "dy", "id",
  "offset", "gradientUnits", "gradientTransform", "clipPathUnits", "patternUnits", "patternTransform", "textLength", "lengthAdjust", "clip-path", "mask",
]);
const SHAPES = new Set(["svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "defs", "linearGradient", "radialGradient", "stop", "clipPath", "pattern", "mask"]);

export interface Drawing {
  group: SVGElement;
  width: number;
  height: number;
}

class Draughtsman {
  private readonly origin: { x: number; y: number };
  private clips = 0;

  constructor(frame: DOMRect) {
    this.origin = { x: frame.left, y: frame.top };
  }

  /** The element with all that is in it. `scale`: how much larger than it says of itself it is shown. */
  draw(element: Element, into: SVGElement, scale: number): void {
    const style = getComputedStyle(element);
    if (style.display === "none" || element.hasAttribute("data-no-picture") || element.localName === "annotation") return;
    const rect = element.getBoundingClientRect();
    if (element instanceof HTMLElement && rect.width <= 1 && rect.height <= 1 && style.overflow === "hidden") return; // for screen readers alone
    if (Number(style.opacity) === 0) return;
    const box = this.box(rect);
    let group = into;
    if (Number(style.opacity) < 1) {
      group = node("g", { opacity: Number(style.opacity) });
      into.append(group);
    }
    if (element instanceof SVGSVGElement) {
      if (style.visibility === "visible") group.append(this.copy(element, box, scale));
      return;
    }
    const own = element instanceof HTMLElement ? scale * scaleOf(style) : scale;
    if (style.visibility === "visible") {
      group.append(...boxShapes(style, box, own));
      if (element instanceof HTMLCanvasElement) group.append(node("image", { ...box, href: element.toDataURL("image/png") }));
      if (element.localName === "mfrac") this.bar(element, style, group);
    }
    if (/hidden|clip|auto|scroll/.test(style.overflow) && element instanceof HTMLElement) {
      const id = `clip-${++this.clips}`;
      const clipped = node("g", { "clip-path": `url(#${id})` });
      group.append(node("clipPath", { id }, [node("rect", { ...box })]), clipped);
      group = clipped;
    }
    if (element instanceof HTMLElement) this.pseudo(element, "::before", group, own);
    for (const child of inOrder(element)) {
      if (child instanceof Text) {
        if (style.visibility === "visible") group.append(...textShapes(child, style, own, this.origin));
      } else {
        this.draw(child, group, own);
      }
    }
    if (element instanceof HTMLElement) this.pseudo(element, "::after", group, own);
  }

  private box(rect: DOMRect): Box {
    return { x: rect.left - this.origin.x, y: rect.top - this.origin.y, width: rect.width, height: rect.height };
  }

  /** Boxes of style sheets alone: arrow heads, and the square before a phase. */
  private pseudo(element: HTMLElement, name: "::before" | "::after", group: SVGElement, scale: number): void {
    const style = getComputedStyle(element, name);
    if (style.content !== '""' || style.display === "none") return;
    const sum = (...names: string[]): number => names.reduce((total, each) => total + (Number.parseFloat(style.getPropertyValue(each)) || 0), 0);
    const inner = style.boxSizing === "border-box";
    const width = (sum("width") + (inner ? 0 : sum("border-left-width", "border-right-width"))) * scale;
    const height = (sum("height") + (inner ? 0 : sum("border-top-width", "border-bottom-width"))) * scale;
    const outer = this.box(element.getBoundingClientRect());
    const box =
      style.position === "absolute"
        ? { x: outer.x + (element.clientLeft + sum("left")) * scale, y: outer.y + (element.clientTop + sum("top")) * scale, width, height }
        : { x: outer.x, y: outer.y + (outer.height - height) / 2, width, height };
    group.append(...boxShapes(style, box, scale));
  }

  /** The bar of a fraction, between its two parts. */
  private bar(element: Element, style: CSSStyleDeclaration, group: SVGElement): void {
    const [above, below] = [element.children[0], element.children[1]].map((part) => part && this.box(part.getBoundingClientRect()));
    if (!above || !below) return;
    const { x, width } = this.box(element.getBoundingClientRect());
    const y = (above.y + above.height + below.y) / 2;
    group.append(node("path", { d: `M${x} ${y}h${width}`, stroke: style.color, "stroke-width": 1 }));
  }

  /** A drawing within the page, with the look that style sheets give it, and nothing that could do more than be looked at. */
  private copy(svg: SVGSVGElement, box: Box, scale: number): SVGElement {
    const copied = this.shape(svg);
    if (!svg.hasAttribute("viewBox") && scale !== 1) copied.setAttribute("viewBox", `0 0 ${box.width / scale} ${box.height / scale}`);
    for (const [name, value] of Object.entries(box)) copied.setAttribute(name, String(Math.round(value * 100) / 100));
    if (getComputedStyle(svg).overflow === "visible") copied.setAttribute("overflow", "visible");
    return copied;
  }

  private shape(source: SVGElement): SVGElement {
    const element = document.createElementNS(SVG, source.localName) as SVGElement;
    for (const { name, value } of [...source.attributes]) if (GEOMETRY.has(name)) element.setAttribute(name, value);
    const style = getComputedStyle(source);
    for (const name of PRESENTATION) element.setAttribute(name, style.getPropertyValue(name));
    for (const child of source.childNodes) {
      if (child instanceof Text) element.append(child.data);
      else if (child instanceof SVGElement && SHAPES.has(child.localName) && getComputedStyle(child).display !== "none") element.append(this.shape(child));
    }
    return element;
  }
}

function scaleOf(style: CSSStyleDeclaration): number {
  const zoom = Number(style.getPropertyValue("zoom")) || 1;
  return style.transform === "none" ? zoom : zoom * new DOMMatrix(style.transform).a;
}

/** The children as they lie over each other: those that are lifted or lowered by z-index in its order. */
function inOrder(element: Element): (Element | Text)[] {
  const children = [...element.childNodes].filter((child): child is Element | Text => child instanceof Element || child instanceof Text);
  const layer = (child: Element | Text): number => (child instanceof Element ? Number.parseInt(getComputedStyle(child).zIndex, 10) || 0 : 0);
  return children.map((child, i) => ({ child, i, z: layer(child) })).sort((one, other) => one.z - other.z || one.i - other.i).map(({ child }) => child);
}

/** Draws an element as the page shows it now. */
export function draw(element: HTMLElement): Drawing {
  const frame = element.getBoundingClientRect();
  const group = node("g");
  new Draughtsman(frame).draw(element, group, 1);
  return { group, width: frame.width, height: frame.height };
}

/** The ground that an element lies on. */
export function groundOf(element: HTMLElement): string {
  for (let at: HTMLElement | null = element; at; at = at.parentElement) {
    const { backgroundColor } = getComputedStyle(at);
    if (visible(backgroundColor)) return backgroundColor;
  }
  return "#ffffff";
}
