/** The lecture of a formula: its graph with cards that are read from the last row, which part of it is seen, what is said, and its cues. */
import { opSign, strongestTarget, subject } from "../graph/graph";
import { grouping, WHOLE } from "../graph/groups";
import type { Box, Placed } from "../graph/layout";
import { sceneOf, type Item, type Scene } from "../graph/scene";
import { explain, type Explanation } from "../model/explain";
import type { Film } from "../model/film";
import type { Notation } from "../math/notation";
import { Symbols } from "../model/symbols";
import type { Trace } from "../model/trace";
import { eventWords } from "../transport/words";
import { LONGEST, type Cue } from "./cues";
import type { Told } from "./defaultCues";

const CARD = { width: 160, height: 128 } as const;
const LETTER = 17; // px of an ordinary letter at the size of a card's name
const LONGEST_NAME = 14; // letters
const MOST_CUES_EACH = 6;

/** What stands at the head of a card: TeX of its symbol, or the sign of its operation. */
export function cardName(symbols: Symbols, item: Item): { tex: string } | { text: string } {
  const text = item.group ? item.group.path : item.card!.node.op === null ? item.card!.node.path : opSign(item.card!.node.op);
  const tex = item.group ? null : symbols.named(item.card!.node.id);
  return tex !== null && tex.length < 24 ? { tex } : { text: text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}\u2026` : text };
}

/** The graph with the cards of a lecture. Of a large one groups stand closed, as on the page. */
export function lectureScene(trace: Trace): Scene {
  const groups = grouping(trace);
  const open = new Set(trace.nodes.length > WHOLE ? [] : groups.groups.map(({ path }) => path));
  const scene = sceneOf(trace, groups, open);
  const symbols = new Symbols(trace, null);
  const items = scene.items.map((item): Item => {
    const name = cardName(symbols, item);
    return { ...item, ...CARD, width: Math.max(CARD.width, "text" in name ? name.text.length * LETTER + 32 : 0) };
  });
  return { ...scene, items, frames: [], signature: `lecture ${scene.signature}` };
}

const AIR = 14; // px around a card that is brought into view: its ring

/** Where the drawing begins in a window: in the middle where all of it fits, else so that what is looked at stands in the middle, as far as the ends allow. */
export function place(placed: Pick<Placed, "width" | "height">, window: { width: number; height: number }, at: Box | null): { x: number; y: number } {
  const along = (room: number, size: number, middle: number): number => (size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, room / 2 - middle)));
  const middle = at ? { x: at.x + at.width / 2, y: at.y + at.height / 2 } : { x: 0, y: placed.height / 2 };
  return { x: along(window.width, placed.width, middle.x), y: along(window.height, placed.height, middle.y) };
}

/** Whether a card is seen whole, with its ring. */
export function within(box: Box, origin: { x: number; y: number }, window: { width: number; height: number }): boolean {
  const [left, top] = [box.x + origin.x, box.y + origin.y];
  return left >= AIR && top >= AIR && left + box.width <= window.width - AIR && top + box.height <= window.height - AIR;
}

/** What the formula below the graph explains: the number that the last event was about; before the first, the loss. */
export function told(film: Film, moment: number, notation: Notation): Explanation {
  const node = subject(film, moment - 1)?.node ?? film.trace.loss;
  const target = moment === 0 ? { kind: "value" as const, node, index: film.trace.value(node).unravel(0) } : strongestTarget(film, node, moment);
  return explain(film, target, moment, 0, notation);
}

/** What is said of a moment, in each language: what the last event did, and to what. */
export function graphCaptions(film: Film, moment: number, tell: Told): Cue["caption"] {
  const { trace } = film;
  const about = subject(film, moment - 1);
  const words = moment === 0 ? { key: "teach.caption.graph", params: { count: trace.nodes.filter(({ op }) => op !== null).length } } : eventWords(trace, moment - 1);
  const params: Record<string, string | number> = { ...words.params };
  if (about) {
    const tex = new Symbols(trace, null).of(about.node);
    if (tex.length < LONGEST / 2) params.name = `$${tex}$`;
  }
  return { en: tell.en.say(words.key, params).slice(0, LONGEST), zh: tell.zh.say(words.key, params).slice(0, LONGEST) };
}

/** The turning points: the first operation, what has a name, the loss, and each gradient that was asked for once it is whole. */
export function graphCues(film: Film, tell: Told): Cue[] {
  const { trace } = film;
  const { events } = trace;
  const forward = Array.from({ length: film.length }, (_, e) => e).filter((e) => events.kind(e) === "forward" && trace.nodes[events.node(e)]!.op !== null);
  const named = forward.filter((e) => trace.nodes[events.node(e)]!.label !== null).slice(0, MOST_CUES_EACH);
  const whole = (node: number): number => film.contributions(node).reduce((last, one) => Math.max(last, one.arrived + 1), 0);
  const leaves = trace.nodes.filter(({ op, requires_grad: asked, id }) => op === null && asked && film.contributions(id).length > 0).map(({ id }) => whole(id));
  const seed = Array.from({ length: film.length }, (_, e) => e).find((e) => events.kind(e) === "seed");
  const moments = [0, ...forward.slice(0, 1).map((e) => e + 1), ...named.map((e) => e + 1), ...forward.slice(-1).map((e) => e + 1), ...(seed === undefined ? [] : [seed + 1]), ...leaves.slice(0, MOST_CUES_EACH), film.length];
  return [...new Set(moments)].sort((one, other) => one - other).map((at) => ({ at, caption: graphCaptions(film, at, tell), columns: null }));
}
