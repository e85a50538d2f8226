/**
 * A layered layout for graphs that are too large for ELK's: layers by the longest way from the leaves, ordered by where their inputs lie,
 * wrapped into rows like the lines of a text where the graph is long. What an open group holds is laid out by itself, and stands in its
 * frame as one card among the others. Linear in nodes and edges but for sorting each layer.
 */
import type { Box, Placed } from "./layout";
import type { Point } from "./polyline";
import { apart, FRAME, portHeight, type Scene } from "./scene";
import { shelve } from "./shelf";

const GAP = { layer: 96, node: 24, row: 140, margin: 24 } as const;
const ASPECT = 1.7; // of the whole drawing
const SWEEPS = 3;
const ROOT = -1;

interface Size {
  width: number;
  height: number;
}

/** Boxes that stand together: in a frame, or in none. */
interface Holder {
  /** Items, and after them frames. */
  members: number[];
  /** Lines between two members. */
  joins: [number, number][];
}

export function columns(scene: Scene): Placed {
  const { items, lines, frames } = scene;
  const count = items.length;
  const frameOf = new Map(frames.map((group, f) => [group, count + f]));
  const sizes: Size[] = [...items, ...frames.map(() => ({ width: 0, height: 0 }))];
  const parents = [...items.map((item) => item.inside), ...frames.map((group) => group.parent)].map((group) => (group ? frameOf.get(group)! : ROOT));
  const holders = new Map<number, Holder>([ROOT, ...frameOf.values()].map((frame) => [frame, { members: [], joins: [] }]));
  const shelved = apart(scene);
  parents.forEach((parent, box) => {
    if (!shelved.has(box)) holders.get(parent)!.members.push(box);
  });
  const depths = depthsOf(parents, count);
  for (const { from, to } of lines) {
    let [a, b] = [from, to];
    while (parents[a] !== parents[b]) {
      const [deep, other] = [depths[a]!, depths[b]!];
      if (deep >= other) a = parents[a]!;
      if (other >= deep) b = parents[b]!;
    }
    holders.get(parents[a]!)!.joins.push([a, b]);
  }

  const at = new Array<Point>(sizes.length); // within what holds it
  const arrange = (frame: number): Size => {
    const { members, joins } = holders.get(frame)!;
    const place = new Map(members.map((box, i) => [box, i]));
    const { cards, width, height } = layered(members.map((box) => sizes[box]!), joins.map(([a, b]) => [place.get(a)!, place.get(b)!]));
    members.forEach((box, i) => (at[box] = cards[i]!));
    return { width, height };
  };
  for (let f = frames.length - 1; f >= 0; f--) {
    const { width, height } = arrange(count + f);
    sizes[count + f] = { width, height: height + FRAME.head };
  }
  const whole = arrange(ROOT);
  const within = (box: number): void => {
    const parent = parents[box]!;
    if (parent !== ROOT) at[box] = { x: at[box]!.x + at[parent]!.x, y: at[box]!.y + at[parent]!.y + FRAME.head };
  };
  frames.forEach((_, f) => within(count + f)); // outer ones first
  items.forEach((_, i) => within(i));

  const ways = lines.map(({ from, to, port }): Point[] => {
    const [a, b, start, end] = [items[from]!, items[to]!, at[from]!, at[to]!];
    return [
      { x: start.x + a.width, y: start.y + a.height / 2 },
      { x: end.x, y: end.y + (b.ports ? portHeight(b, port) : b.height / 2) },
    ];
  });
  const boxes = new Map(frames.map((group, f): [string, Box] => [group.path, { ...at[count + f]!, ...sizes[count + f]! }]));
  return shelve(scene, { ...whole, cards: at.slice(0, count), lines: ways, frames: boxes, curved: true });
}

/** How many frames are around each box; frames come after `count` items, outer ones first. */
function depthsOf(parents: readonly number[], count: number): number[] {
  const depths = new Array<number>(parents.length).fill(0);
  const deeper = (box: number): void => {
    if (parents[box] !== ROOT) depths[box] = depths[parents[box]!]! + 1;
  };
  for (let frame = count; frame < parents.length; frame++) deeper(frame);
  for (let item = 0; item < count; item++) deeper(item);
  return depths;
}

/** Boxes joined by lines, in layers from left to right. */
function layered(boxes: readonly Size[], joins: readonly [number, number][]): Size & { cards: Point[] } {
  const inputs: number[][] = boxes.map(() => []);
  const outputs: number[][] = boxes.map(() => []);
  for (const [from, to] of joins) {
    inputs[to]!.push(from);
    outputs[from]!.push(to);
  }
  const layer = layers(inputs, outputs);
  const members: number[][] = [];
  boxes.forEach((_, i) => (members[layer[i]!] ??= []).push(i));
  for (let l = 0; l < members.length; l++) members[l] ??= []; // the last use of a leaf may have been on the shelf

  const y = new Float64Array(boxes.length); // of the centre, from the middle of the row
  const goal = new Float64Array(boxes.length);
  const settle = (list: number[], wanted: (i: number) => number): void => {
    for (const i of list) goal[i] = wanted(i);
    list.sort((a, b) => goal[a]! - goal[b]! || a - b);
    let bottom = -Infinity;
    let shift = 0;
    for (const i of list) {
      const half = boxes[i]!.height / 2;
      y[i] = Math.max(goal[i]!, bottom + GAP.node + half);
      bottom = y[i]! + half;
      shift += y[i]! - goal[i]!;
    }
    for (const i of list) y[i]! -= shift / list.length;
  };
  const mean = (of: readonly number[], fallback: number): number => {
    let sum = 0;
    for (const i of of) sum += y[i]!;
    return of.length ? sum / of.length : fallback;
  };
  for (const list of members) settle(list, (i) => mean(inputs[i]!, 0));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let l = members.length - 1; l >= 0; l--) settle(members[l]!, (i) => mean(outputs[i]!, y[i]!));
    for (const list of members) settle(list, (i) => mean(inputs[i]!, y[i]!));
  }

  const widths = members.map((list) => list.reduce((widest, i) => Math.max(widest, boxes[i]!.width), 0));
  const lows = members.map((list) => list.reduce((low, i) => Math.min(low, y[i]! - boxes[i]!.height / 2), Infinity));
  const highs = members.map((list) => list.reduce((high, i) => Math.max(high, y[i]! + boxes[i]!.height / 2), -Infinity));
  const cards: Point[] = new Array<Point>(boxes.length);
  const { rows, width, height } = wrapped(widths, lows, highs);
  for (const { from, to, top, low } of rows) {
    let x: number = GAP.margin;
    for (let l = from; l < to; l++) {
      for (const i of members[l]!) cards[i] = { x: x + (widths[l]! - boxes[i]!.width) / 2, y: top + y[i]! - boxes[i]!.height / 2 - low };
      x += widths[l]! + GAP.layer;
    }
  }
  return { cards, width, height };
}

/** The longest way from a leaf; a leaf itself stands right before the first that uses it. Frames may be joined in a ring, which is cut where it begins. */
function layers(inputs: readonly number[][], outputs: readonly number[][]): Int32Array {
  const layer = new Int32Array(inputs.length);
  const waiting = Int32Array.from(inputs, (list) => list.length);
  const done = new Uint8Array(inputs.length);
  const ready = inputs.flatMap((list, i) => (list.length === 0 ? [i] : []));
  for (let next = 0, first = 0; ; next++) {
    if (next === ready.length) {
      while (first < inputs.length && done[first]) first++;
      if (first === inputs.length) break;
      ready.push(first);
    }
    const i = ready[next]!;
    if (done[i]) continue;
    done[i] = 1;
    for (const o of outputs[i]!) {
      if (done[o]) continue;
      layer[o] = Math.max(layer[o]!, layer[i]! + 1);
      if (--waiting[o]! === 0) ready.push(o);
    }
  }
  inputs.forEach((list, i) => {
    if (list.length > 0 || outputs[i]!.length === 0) return;
    layer[i] = outputs[i]!.reduce((least, o) => Math.min(least, layer[o]!), Infinity) - 1;
  });
  return layer;
}

interface Row {
  /** Layers, the last excluded. */
  from: number;
  to: number;
  top: number;
  /** Of its cards, the least place of an upper edge. */
  low: number;
}

/** The layers in rows, as many as bring the whole near the shape that is wanted. */
function wrapped(widths: readonly number[], lows: readonly number[], highs: readonly number[]): { rows: Row[]; width: number; height: number } {
  const whole = widths.reduce((sum, width) => sum + width + GAP.layer, 0);
  let best = broken(widths, lows, highs, whole);
  for (let wide = whole; best.width / best.height > ASPECT && wide > GAP.layer; wide /= 1.15) {
    const tried = broken(widths, lows, highs, wide);
    if (Math.abs(Math.log(tried.width / tried.height / ASPECT)) <= Math.abs(Math.log(best.width / best.height / ASPECT))) best = tried;
    if (tried.width / tried.height < ASPECT) break;
  }
  return best;
}

/** The layers in rows of at most a width. */
function broken(widths: readonly number[], lows: readonly number[], highs: readonly number[], wide: number): { rows: Row[]; width: number; height: number } {
  const rows: Row[] = [];
  let [x, top, right, from] = [0, GAP.margin as number, 0, 0];
  const close = (to: number): void => {
    const low = Math.min(...lows.slice(from, to));
    rows.push({ from, to, top, low });
    top += Math.max(0, Math.max(...highs.slice(from, to)) - low) + GAP.row;
    right = Math.max(right, x - GAP.layer);
    [from, x] = [to, 0];
  };
  for (let l = 0; l < widths.length; l++) {
    if (x > 0 && x + widths[l]! > wide) close(l);
    x += widths[l]! + GAP.layer;
  }
  if (from < widths.length) close(widths.length);
  return { rows, width: right + 2 * GAP.margin, height: Math.max(2 * GAP.margin, top - GAP.row + GAP.margin) };
}
