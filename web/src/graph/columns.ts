/**
 * A layered layout for graphs that are too large for ELK's: layers by the longest way from the leaves, ordered by where their inputs lie,
 * wrapped into rows like the lines of a text where the graph is long. Linear in nodes and edges but for sorting each layer.
 */
import type { Placed } from "./layout";
import type { Point } from "./polyline";
import { apart, portHeight, type Scene } from "./scene";
import { shelve } from "./shelf";

const GAP = { layer: 96, node: 24, row: 140, margin: 24 } as const;
const ASPECT = 1.7; // of the whole drawing
const SWEEPS = 3;

export function columns(scene: Scene): Placed {
  const { items, lines } = scene;
  const count = items.length;
  const inputs: number[][] = items.map(() => []);
  const outputs: number[][] = items.map(() => []);
  for (const { from, to } of lines) {
    inputs[to]!.push(from);
    outputs[from]!.push(to);
  }
  const layer = layers(inputs, outputs);
  const members: number[][] = [];
  const shelved = apart(scene);
  for (let i = 0; i < count; i++) if (!shelved.has(i)) (members[layer[i]!] ??= []).push(i);
  for (let l = 0; l < members.length; l++) members[l] ??= []; // the last use of a leaf may have been on the shelf

  const y = new Float64Array(count); // of the centre, from the middle of the row
  const goal = new Float64Array(count);
  const settle = (list: number[], wanted: (i: number) => number): void => {
    for (const i of list) goal[i] = wanted(i);
    list.sort((a, b) => goal[a]! - goal[b]! || a - b);
    let bottom = -Infinity;
    let shift = 0;
    for (const i of list) {
      const half = items[i]!.height / 2;
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

  const widths = members.map((list) => list.reduce((widest, i) => Math.max(widest, items[i]!.width), 0));
  const lows = members.map((list) => list.reduce((low, i) => Math.min(low, y[i]! - items[i]!.height / 2), Infinity));
  const highs = members.map((list) => list.reduce((high, i) => Math.max(high, y[i]! + items[i]!.height / 2), -Infinity));
  const cards: Point[] = new Array<Point>(count);
  const { rows, width, height } = wrapped(widths, lows, highs);
  for (const { from, to, top, low } of rows) {
    let x: number = GAP.margin;
    for (let l = from; l < to; l++) {
      for (const i of members[l]!) cards[i] = { x: x + (widths[l]! - items[i]!.width) / 2, y: top + y[i]! - items[i]!.height / 2 - low };
      x += widths[l]! + GAP.layer;
    }
  }
  const ways = lines.map(({ from, to, port }): Point[] => {
    const [a, b, start, end] = [items[from]!, items[to]!, cards[from]!, cards[to]!];
    return [
      { x: start.x + a.width, y: start.y + a.height / 2 },
      { x: end.x, y: end.y + (b.ports ? portHeight(b, port) : b.height / 2) },
    ];
  });
  return shelve(scene, { width, height, cards, lines: ways, frames: new Map(), curved: true });
}

/** The longest way from a leaf; a leaf itself stands right before the first that uses it. */
function layers(inputs: readonly number[][], outputs: readonly number[][]): Int32Array {
  const layer = new Int32Array(inputs.length);
  const waiting = Int32Array.from(inputs, (list) => list.length);
  const ready = inputs.flatMap((list, i) => (list.length === 0 ? [i] : []));
  for (let next = 0; next < ready.length; next++) {
    const i = ready[next]!;
    for (const o of outputs[i]!) {
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
