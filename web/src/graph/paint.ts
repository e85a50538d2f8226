/** Draws a large graph on a canvas: what is in view, in as much detail as its size allows. Few cards are drawn by the page itself instead. */
import { paintLane } from "./paintLane";
import { shortened } from "../math/label";
import { two } from "../model/format";
import type { Film } from "../model/film";
import { css, inkOn, mix, type Palette } from "../stage/palette";
import { CARD, opSign, TILE } from "./graph";
import type { Box, Placed } from "./layout";
import type { Item, Scene } from "./scene";
import { boundsOf, boxesOf, Spatial } from "./spatial";
import { seen, touches, type Rect, type Size, type View } from "./view";

/** Sizes from which on more is drawn: outlines and lines, names and single values, digits and lanes. */
export const LEVELS = { outline: 0.07, names: 0.26, digits: 0.55 } as const;
export type Level = "dots" | keyof typeof LEVELS;

export function levelOf(k: number): Level {
  return k < LEVELS.outline ? "dots" : k < LEVELS.names ? "outline" : k < LEVELS.digits ? "names" : "digits";
}

/** Colours of the theme beside those of values. */
export interface Inks {
  surface: string;
  leaf: string;
  border: string;
  edge: string;
  idle: string;
  gradient: string;
  ink: string;
  quiet: string;
  font: string;
}

const SHADES = 17; // of values from −1 to +1, where single ones are too small to be told apart
const LINES_DRAWN = 2500; // more than these, where cards are dots, come from a picture made once
const PICTURE = 2400; // its longer side
const CROWD = 1500; // cards in view, from which on a movement moves the picture painted last

/** How far a group has come: moments at which its nodes are known, and at which gradients have arrived, ascending. */
interface Progress {
  known: number[];
  arrived: number[];
}

export class Painter {
  readonly boxes: readonly Box[];
  readonly cards: Spatial;
  readonly lines: Spatial;
  private readonly shade: Uint8Array;
  private readonly progress = new Map<number, Progress>();
  private readonly arrivals: Int32Array; // line -> moment from which its contribution counts; 0: not looked up, -1: never
  /** What was painted last, and from where; and that as a picture, to be moved about while painting anew would take too long. */
  private painted: View | null = null;
  private still: { canvas: HTMLCanvasElement; view: View } | null = null;
  private picture: { canvas: HTMLCanvasElement; ink: string; scale: number } | null = null;

  constructor(
    readonly film: Film,
    readonly scene: Scene,
    readonly placed: Placed,
    /** What fills half of a lane. */
    private readonly max: number,
  ) {
    this.boxes = boxesOf(scene, placed);
    this.cards = new Spatial(this.boxes, placed.width, placed.height);
    this.lines = new Spatial(boundsOf(placed), placed.width, placed.height);
    this.shade = Uint8Array.from(scene.items, ({ card }) => (card ? shadeOf(strongest(film.trace.value(card.node.id).data)) : SHADES));
    this.arrivals = new Int32Array(scene.lines.length);
    scene.items.forEach(({ group }, i) => group && this.progress.set(i, { known: [], arrived: [] }));
    if (this.progress.size > 0) {
      film.trace.nodes.forEach((node) => {
        const progress = node.op === null ? undefined : this.progress.get(scene.itemOf[node.id]!);
        progress?.known.push(film.knownSince(node.id));
        if (progress && film.arrives(node.id) < Infinity) progress.arrived.push(film.arrives(node.id));
      });
      for (const { known, arrived } of this.progress.values()) {
        known.sort((a, b) => a - b);
        arrived.sort((a, b) => a - b);
      }
    }
  }

  /** Shares of a group's nodes that are known, and that have a gradient, at a moment. */
  progressOf(i: number, moment: number): { known: number; arrived: number } {
    const progress = this.progress.get(i);
    if (!progress) return { known: 0, arrived: 0 };
    const count = Math.max(1, progress.known.length);
    return { known: upTo(progress.known, moment) / count, arrived: upTo(progress.arrived, moment) / count };
  }

  /** Whether the contribution of a line has arrived. */
  came(l: number, moment: number): boolean {
    let at = this.arrivals[l]!;
    if (at === 0) {
      const { source, target, port } = this.scene.lines[l]!;
      const one = this.film.contribution(source, target, port);
      at = this.arrivals[l] = one ? one.arrived + 1 : -1;
    }
    return at > 0 && at <= moment;
  }

  /** Whether about more cards are in view than a frame has time for. */
  crowded(view: View, stage: Size): boolean {
    const { left, top, right, bottom } = seen(view, stage);
    const { width, height } = this.placed;
    const share = Math.max(0, Math.min(right, width) - Math.max(left, 0)) * Math.max(0, Math.min(bottom, height) - Math.max(top, 0));
    return (share / (width * height)) * this.scene.items.length > CROWD;
  }

  /** Moves what is painted to another view, unless nothing is. */
  move(context: CanvasRenderingContext2D, ratio: number, view: View): boolean {
    const { canvas } = context;
    if (!this.still) {
      if (!this.painted) return false;
      const copy = document.createElement("canvas");
      [copy.width, copy.height] = [canvas.width, canvas.height];
      copy.getContext("2d")!.drawImage(canvas, 0, 0);
      this.still = { canvas: copy, view: this.painted };
    }
    const { canvas: picture, view: from } = this.still;
    const share = view.k / from.k;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, (view.x - from.x * share) * ratio, (view.y - from.y * share) * ratio, picture.width * share, picture.height * share);
    return true;
  }

  paint(context: CanvasRenderingContext2D, stage: Size, ratio: number, view: View, moment: number, colours: Palette, inks: Inks): void {
    this.painted = view;
    this.still = null;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, stage.width, stage.height);
    const level = levelOf(view.k);
    const rect = seen(view, stage, 4);
    context.setTransform(ratio * view.k, 0, 0, ratio * view.k, ratio * view.x, ratio * view.y);
    this.paintFrames(context, inks, view, rect, level);
    const lines = this.lines.within(rect);
    if (level === "dots" && lines.length > LINES_DRAWN) this.paintPicture(context, inks);
    else this.paintLines(context, lines, view, moment, inks, level);
    const items = this.cards.within(rect);
    if (level === "dots" || level === "outline") this.paintDots(context, items, view, moment, colours, inks, level);
    else for (const i of items) this.paintCard(context, i, moment, colours, inks, level);
  }

  private paintFrames(context: CanvasRenderingContext2D, inks: Inks, view: View, rect: Rect, level: Level): void {
    context.strokeStyle = inks.border;
    context.lineWidth = 1 / view.k;
    context.fillStyle = inks.quiet;
    context.font = `600 13px ${inks.font}`;
    context.textAlign = "left";
    for (const { path, name } of this.scene.frames) {
      const frame = this.placed.frames.get(path);
      if (!frame || !touches(rect, frame)) continue;
      context.strokeRect(frame.x, frame.y, frame.width, frame.height);
      if (level !== "dots") context.fillText(name, frame.x + 12, frame.y + 20, frame.width - 24);
    }
  }

  private paintLines(context: CanvasRenderingContext2D, lines: readonly number[], view: View, moment: number, inks: Inks, level: Level): void {
    const fine = level === "names" || level === "digits";
    const strokes: Record<"idle" | "gone" | "back", number[]> = { idle: [], gone: [], back: [] };
    const backward = this.film.phaseAt(moment) === "backward";
    for (const l of lines) {
      const line = this.scene.lines[l]!;
      strokes[!backward && this.film.known(line.target, moment) ? "gone" : "idle"].push(l);
      if (backward && this.came(l, moment)) strokes.back.push(l);
    }
    const draw = (list: readonly number[], ink: string, width: number, dash: number[], shift: number): void => {
      if (list.length === 0) return;
      context.strokeStyle = ink;
      context.lineWidth = width;
      context.setLineDash(dash);
      context.beginPath();
      for (const l of list) this.trace(context, l, fine, shift);
      context.stroke();
      context.setLineDash([]);
    };
    const width = fine ? 2 : Math.max(1.5, 0.8 / view.k);
    draw(strokes.idle, inks.idle, width, [], 0);
    draw(strokes.gone, inks.edge, width, [], 0);
    draw(strokes.back, inks.gradient, width, fine ? [8, 5] : [], fine ? 8 : 0);
  }

  private trace(context: CanvasRenderingContext2D, l: number, fine: boolean, shift: number): void {
    const points = this.placed.lines[l]!;
    if (points.length === 0) return;
    const [start, end] = [points[0]!, points.at(-1)!];
    context.moveTo(start.x, start.y + shift);
    if (!fine) context.lineTo(end.x, end.y);
    else if (this.placed.curved) {
      const bend = Math.max(40, Math.abs(end.x - start.x) / 2);
      context.bezierCurveTo(start.x + bend, start.y + shift, end.x - bend, end.y + shift, end.x, end.y + shift);
    } else for (let p = 1; p < points.length; p++) context.lineTo(points[p]!.x, points[p]!.y + shift);
  }

  /** All lines at once, from a picture. */
  private paintPicture(context: CanvasRenderingContext2D, inks: Inks): void {
    const { width, height } = this.placed;
    if (!this.picture || this.picture.ink !== inks.idle) {
      const scale = PICTURE / Math.max(width, height);
      const canvas = document.createElement("canvas");
      canvas.width = Math.ceil(width * scale);
      canvas.height = Math.ceil(height * scale);
      const drawing = canvas.getContext("2d")!;
      drawing.scale(scale, scale);
      drawing.strokeStyle = inks.idle;
      drawing.globalAlpha = 0.6;
      drawing.lineWidth = 0.6 / scale;
      drawing.beginPath();
      for (let l = 0; l < this.placed.lines.length; l++) this.trace(drawing, l, false, 0);
      drawing.stroke();
      this.picture = { canvas, ink: inks.idle, scale };
    }
    context.drawImage(this.picture.canvas, 0, 0, width, height);
  }

  /** Cards as areas of the colour of their strongest value, with a plum foot once a gradient has come. */
  private paintDots(context: CanvasRenderingContext2D, items: readonly number[], view: View, moment: number, colours: Palette, inks: Inks, level: Level): void {
    const least = 1.2 / view.k;
    const shades: number[][] = Array.from({ length: SHADES + 2 }, () => []);
    const arrived: number[] = [];
    for (const i of items) {
      const { card } = this.scene.items[i]!;
      const known = !card || this.film.known(card.node.id, moment);
      shades[known ? this.shade[i]! : SHADES + 1]!.push(i);
      if (card && this.film.arrives(card.node.id) <= moment) arrived.push(i);
    }
    const inset = level === "outline" ? 12 : 0;
    shades.forEach((list, shade) => {
      if (list.length === 0) return;
      context.fillStyle = shade === SHADES + 1 ? inks.border : shade === SHADES ? inks.leaf : css(mix(colours, (shade - (SHADES - 1) / 2) / ((SHADES - 1) / 2)));
      for (const i of list) {
        const { x, y, width, height } = this.boxes[i]!;
        context.fillRect(x + inset, y + inset, Math.max(least, width - 2 * inset), Math.max(least, height - 2 * inset));
      }
    });
    context.fillStyle = inks.gradient;
    for (const i of arrived) {
      const { x, y, width, height } = this.boxes[i]!;
      const foot = Math.max(least / 2, height * 0.14);
      context.fillRect(x + inset, y + height - foot, Math.max(least, width - 2 * inset), foot);
    }
    context.strokeStyle = inks.border;
    context.lineWidth = 1 / view.k;
    if (level === "outline") for (const i of items) this.outline(context, i);
    for (const i of items) if (this.scene.items[i]!.group) this.paintGroup(context, i, moment, inks, level === "outline");
  }

  private outline(context: CanvasRenderingContext2D, i: number): void {
    const { x, y, width, height } = this.boxes[i]!;
    context.strokeRect(x, y, width, height);
  }

  private paintGroup(context: CanvasRenderingContext2D, i: number, moment: number, inks: Inks, words: boolean): void {
    const { x, y, width, height } = this.boxes[i]!;
    const group = this.scene.items[i]!.group!;
    const { known, arrived } = this.progressOf(i, moment);
    context.fillStyle = inks.edge;
    context.fillRect(x + 10, y + height - 14, (width - 20) * known, 3);
    context.fillStyle = inks.gradient;
    context.fillRect(x + 10, y + height - 9, (width - 20) * arrived, 3);
    if (!words) return;
    context.fillStyle = inks.ink;
    context.font = `600 13px ${inks.font}`;
    context.textAlign = "left";
    context.fillText(group.name, x + 10, y + 21, width - 20);
    context.fillStyle = inks.quiet;
    context.font = `11px ${inks.font}`;
    context.fillText(String(group.count), x + 10, y + 38, width - 20);
  }

  private paintCard(context: CanvasRenderingContext2D, i: number, moment: number, colours: Palette, inks: Inks, level: Level): void {
    const item = this.scene.items[i]!;
    const { x, y, width, height } = this.boxes[i]!;
    context.fillStyle = item.group || item.card?.node.op === null ? inks.leaf : inks.surface;
    context.strokeStyle = inks.border;
    context.lineWidth = 1;
    context.beginPath();
    context.roundRect(x, y, width, height, 10);
    context.fill();
    context.stroke();
    if (item.group) return this.paintGroup(context, i, moment, inks, true);
    this.paintNode(context, item, x, y, moment, colours, inks, level);
  }

  private paintNode(context: CanvasRenderingContext2D, item: Item, x: number, y: number, moment: number, colours: Palette, inks: Inks, level: Level): void {
    const { node, rows, columns, width } = item.card!;
    const value = this.film.value(node.id, moment);
    const gradient = this.film.gradient(node.id, moment);
    const left = x + (width - (columns * (TILE.width + TILE.gap) - TILE.gap)) / 2;
    const all = node.shape.length > 1 ? node.shape.at(-1)! : 1;
    context.fillStyle = inks.ink;
    context.font = `500 13px ${inks.font}`;
    context.textAlign = "left";
    context.fillText(shortened(node.label ?? opSign(node.op ?? node.path)), x + 10, y + 19, width - 20);
    context.textAlign = "center";
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const at = row * all + column;
        const [tx, ty] = [left + column * (TILE.width + TILE.gap), y + CARD.head + row * (TILE.height + TILE.lane + TILE.gap)];
        if (value) {
          const number = value.flat(at);
          const fill = mix(colours, number);
          context.fillStyle = css(fill);
          context.fillRect(tx, ty, TILE.width, TILE.height);
          if (level === "digits") {
            context.fillStyle = css(inkOn(colours, fill));
            context.fillText(two(number), tx + TILE.width / 2, ty + 19, TILE.width);
          }
        } else {
          context.strokeStyle = inks.border;
          context.strokeRect(tx + 0.5, ty + 0.5, TILE.width - 1, TILE.height - 1);
        }
        if (node.gradient === null) continue;
        const [middle, lane] = [tx + TILE.width / 2, ty + TILE.height + 1];
        context.fillStyle = inks.quiet;
        context.fillRect(middle - 0.5, lane + 1, 1, TILE.lane - 2);
        if (!gradient) continue;
        paintLane(context, gradient.flat(at), this.max, { middle, top: lane, width: TILE.width, height: TILE.lane }, inks.gradient, level === "digits", inks.font);
      }
    }
  }
}

/** The number of greatest magnitude. */
function strongest(data: ArrayLike<number>): number {
  let best = 0;
  for (let i = 0; i < data.length; i++) if (Math.abs(data[i]!) > Math.abs(best)) best = data[i]!;
  return best;
}

function shadeOf(value: number): number {
  const bounded = Number.isNaN(value) ? 0 : Math.max(-1, Math.min(1, value));
  return Math.round(((bounded + 1) / 2) * (SHADES - 1));
}

/** How many of an ascending list are at most `moment`. */
function upTo(list: readonly number[], moment: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]! <= moment) low = middle + 1;
    else high = middle;
  }
  return low;
}
