/** What an edit is called: the number in TeX, what it was and what it is. Numbers are the film's own, a GRU's update gate as it is shown. */
import { preferences } from "../app/preferences.svelte";
import { gateValue, isUpdateGate } from "../math/notation";
import { NetworkGrid } from "../model/network";
import { Symbols } from "../model/symbols";
import type { Edit } from "../model/program";
import type { Trace } from "../model/trace";
import { isKeep, isMute, isValue, type Item } from "./edits";

export interface Described {
  /** A message of the catalogue. */
  key: string;
  params: Record<string, string | number>;
  /** Of one number: before and after. */
  from: number | null;
  to: number | null;
}

const symbols = new WeakMap<Trace, Symbols>();

/** The symbols of a film, in the usual notation. */
export function symbolsOf(trace: Trace): Symbols {
  let known = symbols.get(trace);
  if (!known) symbols.set(trace, (known = new Symbols(trace, NetworkGrid.of(trace))));
  return known;
}

const nodeOf = (trace: Trace, key: number | string): number | null => (typeof key === "number" ? key : trace.has(key) ? trace.node(key).id : null);

export function describe(item: Item, edits: readonly Edit[], original: Trace, shown: Trace): Described {
  const plain = { from: null, to: null };
  const edit = edits[item.edits[0]!]!;
  if (item.letter) {
    const { row, t } = item.letter;
    const token = (trace: Trace): string => String(trace.batch?.examples[row]?.tokens[t - 1] ?? "");
    return { key: "whatif.is.letter", params: { t, from: token(original), to: token(shown) }, ...plain };
  }
  if (isKeep(edit)) return { key: "whatif.is.kept", params: {}, ...plain };
  if (isMute(edit)) {
    const { time, port } = edit.mute;
    if (typeof time === "number") return { key: "whatif.is.muted_step", params: { t: time }, ...plain };
    const node = nodeOf(original, edit.mute.node ?? "");
    if (node === null) return { key: "whatif.is.muted", params: { symbol: String(edit.mute.node) }, ...plain };
    const at = original.nodes[node]!;
    const symbol = `$${symbolsOf(original).of(typeof port === "number" ? at.inputs[port]! : node)}$`;
    return at.time === null ? { key: "whatif.is.muted", params: { symbol }, ...plain } : { key: "whatif.is.muted_at", params: { symbol, t: at.time }, ...plain };
  }
  const node = isValue(edit) ? nodeOf(original, edit.node) : null;
  if (!isValue(edit) || node === null) return { key: "whatif.is.number", params: { symbol: isValue(edit) ? String(edit.node) : "" }, ...plain };
  const index = edit.index ?? (original.nodes[node]!.shape.length === 0 ? [] : null);
  if (index === null) return { key: "whatif.is.tensor", params: { symbol: `$${symbolsOf(original).of(node)}$` }, ...plain };
  const to = typeof edit.value === "number" ? edit.value : null;
  const turned = (value: number): number => (isUpdateGate(original.nodes[node]!) ? gateValue(preferences.notation, value) : value);
  return { key: "whatif.is.number", params: { symbol: `$${symbolsOf(original).element(node, index)}$` }, from: turned(original.value(node).at(index)), to: to === null ? null : turned(to) };
}
