/** The stage as a picture: as it is shown, in the theme it is shown in, with its fonts and one line that says what it is. */
import { draw, groundOf } from "./draw";
import { fontFaces } from "./fonts";
import { node, serialized } from "./svg";

const CAPTION = 36; // px
const PAD = 24;
const SHARPNESS = 2; // pixels of a PNG for one of the page
const MOST = 16_000; // pixels of a side that every browser's canvas takes

export interface Picture {
  svg: string;
  width: number;
  height: number;
}

/** Draws `element` with `caption` under it. */
export async function picture(element: HTMLElement, caption: string): Promise<Picture> {
  const { group, width, height } = draw(element);
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const family = getComputedStyle(document.body).fontFamily;
  const words = (text: string, attributes: Record<string, string | number | null>): SVGElement =>
    node("text", { y: height + CAPTION / 2 + 4, "font-family": family, "font-size": 12, ...attributes }, [text]);
  const root = node("svg", { width, height: height + CAPTION, viewBox: `0 0 ${Math.round(width * 100) / 100} ${Math.round((height + CAPTION) * 100) / 100}` }, [
    node("title", {}, [`${caption} · Retrograd`]),
    node("rect", { width, height: height + CAPTION, fill: groundOf(element) }),
    group,
    node("path", { d: `M${PAD} ${height + 0.5}H${width - PAD}`, stroke: token("--line"), "stroke-width": 1 }),
    words(caption, { x: PAD, fill: token("--ink-2") }),
    words("Retrograd", { x: width - PAD, "text-anchor": "end", "font-weight": 600, fill: token("--ink-3") }),
  ]);
  root.prepend(node("style", {}, [await fontFaces(root)]));
  return { svg: serialized(root), width, height: height + CAPTION };
}

/** The picture in pixels, two of them for one of the page. */
export async function asPng({ svg, width, height }: Picture): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const sharp = Math.min(SHARPNESS, MOST / width, MOST / height);
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.round(width * sharp), Math.round(height * sharp)];
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
    if (!blob) throw new Error("the browser made no PNG of the picture");
    return blob;
  } finally {
    URL.revokeObjectURL(address);
  }
}
