/** What CSS draws of an element besides its text, as SVG: ground, border, rings, hatches and dashes. Lengths are in px of the page. */
import { node, parallel, type Box } from "./svg";

interface Side {
  width: number;
  colour: string;
  style: string;
}

const px = (text: string): number => Number.parseFloat(text) || 0;

export function visible(colour: string): boolean {
  return colour !== "" && colour !== "transparent" && !/,\s*0\)$|\/\s*0\)$/.test(colour);
}

function side(style: CSSStyleDeclaration, name: "top" | "right" | "bottom" | "left"): Side {
  const drawn = style.getPropertyValue(`border-${name}-style`);
  return { width: drawn === "none" ? 0 : px(style.getPropertyValue(`border-${name}-width`)), colour: style.getPropertyValue(`border-${name}-color`), style: drawn };
}

/** The shapes of a box, back to front. `scale`: of the page's px to those that the style counts in. */
export function boxShapes(style: CSSStyleDeclaration, box: Box, scale: number): SVGElement[] {
  const shapes: SVGElement[] = [];
  const radius = Math.min(px(style.borderTopLeftRadius) * scale, box.width / 2, box.height / 2);
  shapes.push(...rings(style.boxShadow, box, radius, scale, false));
  if (visible(style.backgroundColor)) shapes.push(node("rect", { ...box, rx: radius || null, fill: style.backgroundColor }));
  shapes.push(...gradient(style.backgroundImage, box, scale));
  shapes.push(...rings(style.boxShadow, box, radius, scale, true));
  shapes.push(...border(style, box, radius, scale));
  return shapes;
}

function border(style: CSSStyleDeclaration, box: Box, radius: number, scale: number): SVGElement[] {
  const [top, right, bottom, left] = [side(style, "top"), side(style, "right"), side(style, "bottom"), side(style, "left")];
  const sides = [top, right, bottom, left];
  if (sides.every(({ width }) => width === 0)) return [];
  if (sides.every(({ width, colour, style: drawn }) => width === top.width && colour === top.colour && drawn === top.style)) {
    const width = top.width * scale;
    if (!visible(top.colour)) return [];
    const inner = { x: box.x + width / 2, y: box.y + width / 2, width: Math.max(0, box.width - width), height: Math.max(0, box.height - width) };
    return [node("rect", { ...inner, rx: Math.max(0, radius - width / 2) || null, fill: "none", stroke: top.colour, "stroke-width": width, "stroke-dasharray": top.style === "dashed" ? `${2 * width} ${2 * width}` : null })];
  }
  // Each side on its own: four trapezoids, which are triangles where a box is nothing but its border.
  const [x0, y0, x3, y3] = [box.x, box.y, box.x + box.width, box.y + box.height];
  const [x1, y1, x2, y2] = [x0 + left.width * scale, y0 + top.width * scale, x3 - right.width * scale, y3 - bottom.width * scale];
  const corners: [Side, string][] = [
    [top, `${x0},${y0} ${x3},${y0} ${x2},${y1} ${x1},${y1}`],
    [right, `${x3},${y0} ${x3},${y3} ${x2},${y2} ${x2},${y1}`],
    [bottom, `${x0},${y3} ${x3},${y3} ${x2},${y2} ${x1},${y2}`],
    [left, `${x0},${y0} ${x0},${y3} ${x1},${y2} ${x1},${y1}`],
  ];
  return corners.filter(([{ width, colour }]) => width > 0 && visible(colour)).map(([{ colour }, points]) => node("polygon", { points, fill: colour }));
}

/** Shadows that are sharp: the ring around what is selected. Soft ones are left out. */
function rings(shadow: string, box: Box, radius: number, scale: number, inset: boolean): SVGElement[] {
  if (!shadow || shadow === "none") return [];
  return parallel(shadow).reverse().flatMap((one) => {
    const colour = /rgba?\([^)]*\)|color\([^)]*\)/.exec(one)?.[0] ?? "";
    const lengths = one.replace(colour, "").match(/-?[\d.]+px/g)?.map(px) ?? [];
    const [x = 0, y = 0, blur = 0, spread = 0] = lengths;
    if (x || y || blur || spread <= 0 || !visible(colour) || one.includes("inset") !== inset) return [];
    const width = spread * scale;
    const by = inset ? -width / 2 : width / 2;
    return [node("rect", { x: box.x - by, y: box.y - by, width: box.width + 2 * by, height: box.height + 2 * by, rx: radius ? Math.max(0, radius + by) : null, fill: "none", stroke: colour, "stroke-width": width })];
  });
}

/** Gradients: rows of values, hatches, dashed lines where their stops are hard; else what fades something out. */
function gradient(image: string, box: Box, scale: number): SVGElement[] {
  const parts = /^(repeating-)?linear-gradient\((.*)\)$/s.exec(image);
  if (!parts) return [];
  const [first = "", ...rest] = parallel(parts[2]!);
  const turned = /^to |deg$/.test(first);
  const direction = turned ? first : "to bottom";
  const bands = bandsOf(turned ? rest : [first, ...rest], scale);
  if (!bands) return parts[1] ? [] : fade(direction, turned ? rest : [first, ...rest], box);
  if (!parts[1]) {
    const across = /right|left|90deg|270deg/.test(direction);
    return bands.filter(({ colour }) => visible(colour)).map(({ colour, from, to }) =>
      node("rect", across ? { x: box.x + from, y: box.y, width: to - from, height: box.height, fill: colour } : { x: box.x, y: box.y + from, width: box.width, height: to - from, fill: colour }),
    );
  }
  const [on, off] = bands;
  if (!on || !off) return [];
  const [length, gap] = [on.to - on.from, off.to - off.from];
  if (direction.endsWith("deg") && !/^(0|90|180|270)deg$/.test(direction)) return hatch(box, on.colour, length, gap);
  const across = box.width >= box.height;
  const middle = across ? box.y + box.height / 2 : box.x + box.width / 2;
  const d = across ? `M${box.x} ${middle}h${box.width}` : `M${middle} ${box.y}v${box.height}`;
  return [node("path", { d, fill: "none", stroke: on.colour, "stroke-width": Math.min(box.width, box.height), "stroke-dasharray": `${length} ${gap}` })];
}

let fades = 0; // names of gradients, each of them once in a picture

/** From one colour into another along an axis; stops at percentages, or spread evenly. */
function fade(direction: string, stops: string[], box: Box): SVGElement[] {
  const [x, y] = /left|270deg/.test(direction) ? [-1, 0] : /right|90deg/.test(direction) ? [1, 0] : /top|^0deg/.test(direction) ? [0, -1] : [0, 1];
  const id = `fade-${++fades}`;
  let last = "";
  const children = stops.map((stop, i) => {
    const colour = /rgba?\([^)]*\)|color\([^)]*\)|transparent/.exec(stop)?.[0] ?? "transparent";
    const place = /([\d.]+)%/.exec(stop.replace(colour, ""))?.[1];
    if (visible(colour)) last = colour;
    return node("stop", { offset: place === undefined ? i / Math.max(1, stops.length - 1) : Number(place) / 100, "stop-color": last || "#fff", "stop-opacity": visible(colour) ? null : 0 });
  });
  const axis = { x1: x < 0 ? 1 : 0, y1: y < 0 ? 1 : 0, x2: x > 0 ? 1 : 0, y2: y > 0 ? 1 : 0 };
  return [node("linearGradient", { id, ...axis }, children), node("rect", { ...box, fill: `url(#${id})` })];
}

/** Lines at 45 degrees within a box, as one path. */
function hatch(box: Box, colour: string, thick: number, gap: number): SVGElement[] {
  const pace = (thick + gap) * Math.SQRT2;
  let d = "";
  for (let at = pace / 2; at < box.width + box.height; at += pace) {
    const [x1, y1] = at <= box.height ? [0, at] : [at - box.height, box.height];
    const [x2, y2] = at <= box.width ? [at, 0] : [box.width, at - box.width];
    d += `M${box.x + x1} ${box.y + y1}L${box.x + x2} ${box.y + y2}`;
  }
  return [node("path", { d, fill: "none", stroke: colour, "stroke-width": thick })];
}

/** The stops as bands of one colour each; null where one colour runs into another. */
function bandsOf(stops: string[], scale: number): { colour: string; from: number; to: number }[] | null {
  const points = stops.flatMap((stop) => {
    const colour = /rgba?\([^)]*\)|color\([^)]*\)|transparent/.exec(stop)?.[0] ?? "";
    const places = stop.replace(colour, "").match(/-?[\d.]+px/g)?.map((text) => px(text) * scale) ?? [];
    return places.map((at) => ({ colour, at }));
  });
  if (points.length < 2 || points.length % 2) return null;
  const bands = [];
  for (let i = 0; i < points.length; i += 2) {
    const [from, to] = [points[i]!, points[i + 1]!];
    if (from.colour !== to.colour) return null;
    bands.push({ colour: from.colour, from: from.at, to: to.at });
  }
  return bands;
}
