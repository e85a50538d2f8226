/** The geometry that all panes share: step t stands in the same column of each. Pixels. */

export interface Columns {
  readonly steps: number;
  /** Without a gutter, on a phone. */
  readonly slim: boolean;
  readonly gutter: number;
  readonly pitch: number;
  readonly width: number;
}

const GUTTER = 132; // a name, its number and a piece of its line
const RIGHT = 48; // the powers of ten of the logarithmic scale
const NARROWEST = 9; // pitch of panes that stand side by side, which scroll: a letter has room
const WIDEST = 220; // pitch of a short sequence

/** `longest`: the characters of the longest name that stands in the gutter, with a number after it. */
export function columnsOf(width: number, steps: number, longest = 0): Columns {
  const slim = width < 560;
  const gutter = slim ? 8 : Math.max(GUTTER, Math.min(280, Math.ceil(longest * 6.8) + 92));
  const pitch = steps === 0 ? WIDEST : Math.min(WIDEST, Math.max(2, (width - gutter - RIGHT) / steps));
  return { steps, slim, gutter, pitch, width: Math.ceil(gutter + pitch * steps + RIGHT) };
}

/** The columns of one of several panes that share a width: as in a slim one, but wide enough to be read. Longer ones scroll. */
export function besideColumns(width: number, steps: number): Columns {
  const gutter = 8;
  const pitch = steps === 0 ? WIDEST : Math.min(WIDEST, Math.max(NARROWEST, (width - gutter - RIGHT) / steps));
  return { steps, slim: true, gutter, pitch, width: Math.ceil(gutter + pitch * steps + RIGHT) };
}

/** How far panes of a width have to be scrolled so that step t is seen, with some of its neighbours; `scroll` where it is. */
export function scrolledTo(columns: Columns, t: number, width: number, scroll: number): number {
  const [left, right] = [leftOf(columns, Math.max(1, t - 1)), leftOf(columns, Math.min(columns.steps, t + 1)) + columns.pitch];
  const wanted = left < scroll ? left : right > scroll + width ? right - width : scroll;
  return Math.max(0, Math.min(columns.width - width, wanted));
}

/** The left edge of step t's column. */
export const leftOf = (columns: Columns, t: number): number => columns.gutter + (t - 1) * columns.pitch;

export const middleOf = (columns: Columns, t: number): number => leftOf(columns, t) + columns.pitch / 2;

/** The step at a place, the nearest where there is none. */
export function stepAt(columns: Columns, x: number): number {
  return Math.max(1, Math.min(columns.steps, Math.floor((x - columns.gutter) / columns.pitch) + 1));
}

/** How tall things are that may be taller or lower. */
export interface Heights {
  /** Of all units of a state; a strip is as much of it as half pixels make. */
  strip: number;
  lane: number;
  /** Of the logarithmic scale. */
  log: number;
  /** Panes keep less of a distance. */
  tight: boolean;
}

const USUAL: Heights = { strip: 48, lane: 42, log: 84, tight: false };
const LOWEST = 0.5;
const LOW = 0.8;
const TALLEST = 2.6;
/** What a pane's header usually takes; `beside` others, over its own films. */
export const HEAD = { stacked: 32, beside: 86 };
// What stands around them: a pane's padding and header, what a tight one saves of that, the gap under a strip, the frame of the logarithmic scale.
const AROUND = { pane: 53, tight: 8, beside: 56, strip: 6, log: 52 };

/**
 * What panes with so many strips each take in a room of so many pixels, `inputs` of which are taken by what is read; `side`: beside each other.
 * `null`: a room that grows with them.
 */
export function heightsOf(room: number | null, strips: readonly number[], inputs: number, side: boolean): Heights {
  if (room === null || strips.length === 0) return USUAL;
  const [rows, lanes] = side ? [Math.max(...strips), 1] : [strips.reduce((total, one) => total + one, 0), strips.length];
  const whole = rows * USUAL.strip + lanes * USUAL.lane + USUAL.log;
  const left = room - inputs - AROUND.log - rows * AROUND.strip - lanes * AROUND.pane - (side ? AROUND.beside : 0);
  const tight = left < LOW * whole;
  const share = Math.max(LOWEST, Math.min(TALLEST, (left + (tight ? lanes * AROUND.tight : 0)) / whole));
  return { strip: Math.floor(USUAL.strip * share), lane: Math.floor(USUAL.lane * share), log: Math.floor(USUAL.log * share), tight };
}

/** The height of an element's row in a strip: whole pixels where there is room for two of them, else halves. */
export function rowHeight(hidden: number, strip = USUAL.strip): number {
  const row = strip / hidden;
  return Math.max(1, Math.min(Math.round(strip / 4), row >= 2 ? Math.floor(row) : Math.floor(2 * row) / 2));
}

/** How much is taken by what is read at each step, with the names of steps under it where they have some. */
export const inputsHeight = (labelled: boolean): number => (labelled ? 42 : 28);

/** The steps that are numbered below the columns: round ones with room between them, and both ends. */
export function numbered(columns: Columns): number[] {
  const room = 26;
  const every = [1, 2, 5, 10, 20, 50, 100].find((step) => step * columns.pitch >= room) ?? 200;
  const inner = Array.from({ length: columns.steps }, (_, i) => i + 1).filter((t) => t % every === 0 && t !== columns.steps && (t - 1) * columns.pitch >= room && (columns.steps - t) * columns.pitch >= room);
  return [...new Set([1, ...inner, columns.steps])];
}

/** Heights at which labels stand: as near to where they belong as they can without touching, in their order. */
export function apart(wanted: readonly number[], room: number, low: number, high: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const placed = [...wanted];
  let floor = low;
  for (const i of order) floor = (placed[i] = Math.max(placed[i]!, floor)) + room;
  let ceiling = high;
  for (const i of order.toReversed()) ceiling = (placed[i] = Math.min(placed[i]!, ceiling)) - room;
  return placed;
}
