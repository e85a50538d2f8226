// Several layers and both directions: how their states, parameters and equations are marked. One layer in one direction has no marks.

import type { Trace } from "./trace";

export interface Stack {
  layers: number;
  bidirectional: boolean;
}

const ONE: Stack = { layers: 1, bidirectional: false };
const stacks = new WeakMap<Trace, Stack>();

/** The layers and directions of a network, read from its parameters' names. */
export function stackOf(trace: Trace): Stack {
  let stack = stacks.get(trace);
  if (!stack) stacks.set(trace, (stack = stackOfNames(trace.nodes.filter(({ role }) => role === "parameter").map(({ path }) => path))));
  return stack;
}

/** The same from the names themselves. */
export function stackOfNames(names: readonly string[]): Stack {
  const places = names.map((name) => /^rnn\.weight_hh_l(\d+)(_reverse)?$/.exec(name)).filter((match) => match !== null);
  return { layers: Math.max(ONE.layers, ...places.map((match) => Number(match[1]) + 1)), bidirectional: places.some((match) => match[2] !== undefined) };
}

export interface Place {
  layer: number;
  reverse: boolean;
}

/** A symbol with the marks of its place: an arrow for its direction where there are two, its layer in brackets where there are several. */
export function marked(tex: string, place: Place, stack: Stack): string {
  const arrow = stack.bidirectional ? `${place.reverse ? "\\overleftarrow" : "\\overrightarrow"}{${tex}}` : tex;
  return arrow + layerMark(place.layer, stack);
}

/** `^{[2]}` for the second layer of several. */
export const layerMark = (layer: number, stack: Stack): string => (stack.layers > 1 ? `^{[${layer + 1}]}` : "");

const PARTS: Record<string, [string, string]> = {
  weight_ih: ["W", "_{\\mathrm{ih}}"],
  weight_hh: ["W", "_{\\mathrm{hh}}"],
  bias_ih: ["b", "_{\\mathrm{ih}}"],
  bias_hh: ["b", "_{\\mathrm{hh}}"],
};
const HEAD: Record<string, string> = { "head.weight": "W_{\\mathrm{ho}}", "head.bias": "b_{\\mathrm{o}}" };

/** The symbol of a parameter that people know, or null. */
export function parameterTex(path: string, stack: Stack = ONE): string | null {
  const match = /^rnn\.((?:weight|bias)_[ih]h)_l(\d+)(_reverse)?$/.exec(path);
  const part = match && PARTS[match[1]!];
  if (!part) return HEAD[path] ?? null;
  return marked(part[0], { layer: Number(match![2]), reverse: match![3] !== undefined }, stack) + part[1];
}

/** The place that a scope names (`gru/l1_reverse/t=3`), the first layer's forward direction where it names none; null outside the cells. */
export function placeIn(scope: string): (Place & { both: boolean }) | null {
  const match = /^(?:rnn|lstm|gru)(?:\/l(\d+)(_reverse|_both)?)?\/t=\d+/.exec(scope);
  return match && { layer: Number(match[1] ?? 0), reverse: match[2] === "_reverse", both: match[2] === "_both" };
}

/** An equation of the first layer, forward, as it reads in another place: the input is the layer below, the reverse direction comes from t+1. */
export function inStack(tex: string, { layer, reverse }: Place, stack: Stack): string {
  const below = `h${layerMark(layer - 1, stack)}_{`;
  const turned = reverse ? tex.replaceAll("_{t-1}", "_{t+1}") : tex;
  return layer === 0 ? turned : turned.replaceAll("x_{", below);
}
