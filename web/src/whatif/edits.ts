/** Lists of edits: what is changed in a film, and how a change adds to those there are. Nothing is changed in place. */
import { elementTerms, MOVES } from "../model/terms";
import type { Edit, MuteEdit, ValueEdit } from "../model/program";
import type { Trace } from "../model/trace";

export const isValue = (edit: Edit): edit is ValueEdit => "value" in edit;
export const isMute = (edit: Edit): edit is MuteEdit => "mute" in edit;
export const isKeep = (edit: Edit): boolean => "zero_grad" in edit;

/** One number of the film that is edited: a node of the original, by its path. */
export interface Place {
  path: string;
  index: number[];
}

/** The same node in the original: a node that came by an edit stands for what it was put after. Null where the original has none. */
export function originalOf(trace: Trace, original: Trace, node: number): number | null {
  const at = trace.through(trace.typedOver(node) ?? node);
  const { path } = trace.nodes[at]!;
  return original.has(path) ? original.node(path).id : null;
}

/** Where a number of the shown film is edited: a number that was only moved, where it came from. Null for one that cannot be: the loss, a mask of an edit. */
export function placeOf(trace: Trace, original: Trace, node: number, index: readonly number[]): Place | null {
  if (node === trace.loss) return null;
  const whole = trace.through(trace.typedOver(node) ?? node);
  const at = leafOf(trace, whole, index) ?? { node: whole, index: [...index] };
  const { path, dtype } = trace.nodes[at.node]!;
  return original.has(path) && !dtype.startsWith("bool") ? { path, index: at.index } : null;
}

/** A leaf that a node takes its element from unchanged (a step's input from all of them); null where it is computed. */
function leafOf(trace: Trace, node: number, index: readonly number[]): { node: number; index: number[] } | null {
  let at = { node, index: [...index] };
  for (;;) {
    const { op, inputs } = trace.nodes[at.node]!;
    if (op === null) return at;
    const term = MOVES.has(op) ? elementTerms(trace, at.node, at.index)?.[0] : undefined;
    if (!term) return null;
    at = { node: inputs[term.port]!, index: term.index };
  }
}

/** Whether an edit says the value of this very element. */
const says = (edit: Edit, { path, index }: Place): boolean => isValue(edit) && edit.node === path && edit.index !== null && edit.index !== undefined && String(edit.index) === String(index);

/** With another value for one element; none any more where that is what the original has. */
export function withNumber(edits: readonly Edit[], place: Place, value: number, original: Trace): Edit[] {
  const kept = edits.filter((edit) => !says(edit, place));
  const given = kept.some((edit) => isValue(edit) && edit.node === place.path && (edit.index === null || edit.index === undefined)); // of the whole node
  return !given && original.value(original.node(place.path).id).at(place.index) === value ? kept : [...kept, { node: place.path, index: [...place.index], value }];
}

/** With other values for a whole node; earlier ones of it are gone. */
export function withTensor(edits: readonly Edit[], path: string, value: unknown): Edit[] {
  return [...edits.filter((edit) => !(isValue(edit) && edit.node === path)), { node: path, value }];
}

/** One use muted, or heard again. */
export function withMuted(edits: readonly Edit[], path: string, port: number, muted: boolean): Edit[] {
  const kept = edits.filter((edit) => !(isMute(edit) && edit.mute.node === path && edit.mute.port === port));
  return muted ? [...kept, { mute: { node: path, port } }] : kept;
}

/** The uses of all parameters at one time step muted, or heard again. */
export function withMutedStep(edits: readonly Edit[], time: number, muted: boolean): Edit[] {
  const kept = edits.filter((edit) => !(isMute(edit) && edit.mute.time === time));
  return muted ? [...kept, { mute: { time } }] : kept;
}

export function withKept(edits: readonly Edit[], kept: boolean): Edit[] {
  const rest = edits.filter((edit) => !isKeep(edit));
  return kept ? [...rest, { zero_grad: false }] : rest;
}

/** Another letter at step t (from 1) of a row: the old one's place becomes 0, the new one's 1. `letter`: its place among the features. */
export function withLetter(edits: readonly Edit[], row: number, t: number, letter: number, original: Trace): Edit[] {
  const x = original.value(original.node("x").id);
  const width = x.shape[2]!;
  const here = (edit: Edit): boolean => isValue(edit) && edit.node === "x" && edit.index?.[0] === row && edit.index[1] === t - 1;
  let list = edits.filter((edit) => !here(edit));
  for (let k = 0; k < width; k++) list = withNumber(list, { path: "x", index: [row, t - 1, k] }, k === letter ? 1 : 0, original);
  return list;
}

/** Other pixels at step t (from 1) of a row; those that are as in the original are no edits. */
export function withPixels(edits: readonly Edit[], row: number, t: number, pixels: readonly number[], original: Trace): Edit[] {
  return pixels.reduce<Edit[]>((list, value, k) => withNumber(list, { path: "x", index: [row, t - 1, k] }, value, original), [...edits]);
}

/** Edits that stand for one change of a person: a letter is one, whatever it takes. */
export interface Item {
  /** Their places in the list. */
  edits: number[];
  letter: { row: number; t: number } | null;
}

export function itemsOf(edits: readonly Edit[], trace: Trace): Item[] {
  const letters = trace.batch?.display === "letters";
  const items: Item[] = [];
  edits.forEach((edit, i) => {
    const at = letters && isValue(edit) && edit.node === "x" && edit.index?.length === 3 ? { row: edit.index[0]!, t: edit.index[1]! + 1 } : null;
    const same = at && items.find(({ letter }) => letter?.row === at.row && letter.t === at.t);
    if (same) same.edits.push(i);
    else items.push({ edits: [i], letter: at });
  });
  return items;
}

export const without = (edits: readonly Edit[], places: readonly number[]): Edit[] => edits.filter((_, i) => !places.includes(i));

/** Numbers of a tensor as lists in lists, as an edit of a whole node has them. */
export function lists(data: ArrayLike<number>, shape: readonly number[], scale = 1): unknown {
  let at = 0;
  const build = (axis: number): unknown => (axis === shape.length ? data[at++]! * scale : Array.from({ length: shape[axis]! }, () => build(axis + 1)));
  return build(0);
}

/** The node of a film that stands for a path of the original: where numbers were typed over it, what has them. Null where there is none. */
export function shownNode(trace: Trace, path: string): number | null {
  if (!trace.has(path)) return null;
  const { id } = trace.node(path);
  return trace.consumers(id).find((consumer) => trace.typedOver(consumer.node) === id)?.node ?? id;
}
