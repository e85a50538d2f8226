/** What is drawn of a graph while some groups are open: cards (nodes, closed groups), lines between them, frames of open groups. */
import type { Trace } from "../model/trace";
import { closedAround, type Group, type Grouping } from "./groups";
import { cardOf, type Card } from "./graph";

export interface Item {
  /** Names it whatever else is drawn: `n12`, `g:rnn/t=3`. */
  readonly key: string;
  /** Null for a closed group. */
  readonly card: Card | null;
  readonly group: Group | null;
  /** The open group that it lies in. */
  readonly inside: Group | null;
  readonly width: number;
  readonly height: number;
  /** How many inputs it has ports for; 0 for groups, which take lines anywhere. */
  readonly ports: number;
  /** Inputs whose line is not drawn: a leaf with many uses is named at each of them. */
  readonly badges: { port: number; node: number }[];
}

export interface Line {
  /** `to:port` of the nodes it joins (the first, where a group bundles several). */
  readonly id: string;
  /** Items. */
  readonly from: number;
  readonly to: number;
  /** Nodes, and the input of the second. */
  readonly source: number;
  readonly target: number;
  readonly port: number;
  /** How many edges it stands for. */
  count: number;
}

export interface Scene {
  readonly trace: Trace;
  readonly items: readonly Item[];
  readonly lines: readonly Line[];
  /** node -> item. */
  readonly itemOf: Int32Array;
  /** Open groups, outer ones first. */
  readonly frames: readonly Group[];
  /** Two scenes of one signature have the same layout. */
  readonly signature: string;
}

export const GROUP_CARD = { width: 148, height: 64 } as const;
const HUB_USES = 6; // a leaf with more uses than this is a badge at each of them …
const HUB_ITEMS = 60; // … in drawings of more cards than this

export function sceneOf(trace: Trace, { of, groups }: Grouping, open: ReadonlySet<string>): Scene {
  const items: Item[] = [];
  const itemOf = new Int32Array(trace.nodes.length);
  const closed = new Map<string, number>();
  for (const node of trace.nodes) {
    const group = closedAround(of[node.id]!, open);
    const known = group ? closed.get(group.path) : undefined;
    itemOf[node.id] = known ?? items.length;
    if (known !== undefined) continue;
    if (group) {
      closed.set(group.path, items.length);
      items.push({ key: `g:${group.path}`, card: null, group, inside: group.parent, ...GROUP_CARD, ports: 0, badges: [] });
    } else {
      const card = cardOf(node);
      items.push({ key: `n${node.id}`, card, group: null, inside: of[node.id]!, width: card.width, height: card.height, ports: node.inputs.length, badges: [] });
    }
  }
  const hubs = items.length > HUB_ITEMS;
  const lines: Line[] = [];
  const bundles = new Map<number, Line>();
  for (const node of trace.nodes) {
    node.inputs.forEach((source, port) => {
      const [from, to] = [itemOf[source]!, itemOf[node.id]!];
      if (from === to) return;
      const bundled = items[from]!.group !== null || items[to]!.group !== null;
      if (hubs && trace.nodes[source]!.op === null && trace.consumers(source).length > HUB_USES && items[from]!.group === null) {
        if (items[to]!.group === null) items[to]!.badges.push({ port, node: source });
        return;
      }
      const known = bundled ? bundles.get(from * items.length + to) : undefined;
      if (known) {
        known.count++;
        return;
      }
      const line = { id: `${node.id}:${port}`, from, to, source, target: node.id, port, count: 1 };
      if (bundled) bundles.set(from * items.length + to, line);
      lines.push(line);
    });
  }
  const frames = groups.filter((group) => open.has(group.path) && closedAround(group, open) === null);
  const signature = `${items.map((item) => `${item.key} ${item.width} ${item.height}`).join()};${lines.map((line) => `${line.id} ${line.from} ${line.to}`).join()};${frames.map((group) => group.path).join()}`;
  return { trace, items, lines, itemOf, frames, signature };
}

/** Items that no line leads to or from, and that stand in no frame: leaves that are named where they are used. */
export function apart({ items, lines }: Scene): Set<number> {
  const joined = new Set(lines.flatMap(({ from, to }) => [from, to]));
  return new Set(items.flatMap((item, i) => (joined.has(i) || item.inside || items.length === 1 ? [] : [i])));
}

/** Where an input enters a card, from its upper edge. */
export function portHeight(item: Item, port: number): number {
  return ((port + 1) * item.height) / (item.ports + 1);
}

export const FRAME = { head: 30, pad: 16 } as const;
