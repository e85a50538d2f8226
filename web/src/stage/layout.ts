/** The geometry of the cell view: one column laid out once and repeated. Pixels; y counts from the top of the scrolled content. */

/** How a state is drawn: tiles with digits (hidden size up to 4), low tiles (5 to 15), a strip of thin rows (16 and more). */
export type Detail = "digits" | "bars" | "texture";

export interface Layout {
  readonly slim: boolean;
  readonly hidden: number;
  readonly detail: Detail;
  /** Cards of a column, each a layer and direction: the shift down of each, in the order of the grid's chains (the first layer stands lowest). */
  readonly shifts: readonly number[];
  /** The frames behind the cards of a layer, where there are several cards, and its number from 0, the top one first. */
  readonly groups: readonly { layer: number; top: number; height: number }[];
  /** State vectors in a card: h, and for an LSTM c beside it. */
  readonly strips: 1 | 2;
  /** Centre of the initial state, centre of the first column, distance of columns. */
  readonly x0: number;
  /** How far the columns are moved to the right. */
  readonly indent: number;
  readonly x1: number;
  readonly pitch: number;
  readonly card: number;
  /** Width of the names at the left. */
  readonly labels: number;
  /** Width of one strip and the gap between two. */
  readonly strip: number;
  readonly gap: number;
  /** A tile, the lane under it, and the distance of two rows. */
  readonly tile: number;
  readonly lane: number;
  readonly row: number;
  readonly font: number;
  readonly headTop: number;
  readonly predictionTop: number;
  readonly predictionHeight: number;
  readonly cardTop: number;
  readonly stateTop: number;
  readonly stateHeight: number;
  readonly cardHeight: number;
  /** The foot of the lowest card. */
  readonly cardsBottom: number;
  readonly inputTop: number;
  readonly inputHeight: number;
  readonly height: number;
  /** Where states travel to the right, and where the gradients of c and h travel back. */
  readonly forwardY: number;
  readonly cellBackwardY: number;
  readonly backwardY: number;
}

export const LABELS = 128; // the gutter at the left that names rows and classes
export const TRAY_NAMES = 118; // px of the screen at the left of the tray
export const LEAST_PITCH = 64; // between columns of the tray: a number fits
export const LOSS_ROOM = 96; // right of the last card: L and its value
const FOOT = 36; // badges in a card
const NORMS = 44; // norms in words under a texture
const BETWEEN = { directions: 14, layers: 34, many: 24 }; // cards of a layer, and layers: two, or more
const FRAME = 8; // what the frame of a layer stands out

export interface LayoutInput {
  hidden: number;
  cell: "rnn" | "lstm" | "gru";
  slim: boolean;
  /** Whether inputs are pairs, which need more room than a letter. */
  tall?: boolean;
  /** Whether the stage is too low for a card of the usual height: rows are lower. */
  low?: boolean;
  /** How far the columns are to be moved to the right. */
  indent?: number;
  layers?: number;
  directions?: 1 | 2;
}

export function layoutOf({ hidden, cell, slim, tall = false, low: tight = false, indent = 0, layers = 1, directions = 1 }: LayoutInput): Layout {
  const strips = cell === "lstm" ? 2 : 1;
  const detail: Detail = hidden <= 4 ? "digits" : hidden <= 15 ? "bars" : "texture";
  const strip = strips === 2 ? (slim ? 47 : 48) : slim ? 64 : 72;
  const gap = 6;
  const card = strips * strip + (strips - 1) * gap + (slim ? 14 : 16);
  const cards = layers * directions;
  const flat = tight && cards === 1 && !slim;
  const low = cards > 2 && detail === "digits" && !slim; // three and more above each other
  const between = { directions: BETWEEN.directions, layers: cards > 2 ? BETWEEN.many : BETWEEN.layers };
  const full = low ? 24 : flat ? 27 : cards > 1 ? (slim ? 27 : 30) : slim ? 40 : 47;
  const thin = Math.min(6, (4 * full - NORMS) / hidden); // rows of a texture
  const stateHeight = detail === "digits" ? Math.max(2, hidden) * full : detail === "bars" ? 4 * full : thin * hidden + NORMS;
  const row = detail === "digits" ? full : detail === "bars" ? stateHeight / hidden : thin;
  const digits = low || flat ? 17 : cards > 1 ? 19 : slim ? 27 : 32;
  const lane = detail === "digits" ? full - digits - 3 : Math.max(3, Math.floor(row * 0.3));
  const tile = detail === "digits" ? digits : detail === "bars" ? Math.floor(row) - lane - 1 : row;
  const names = cards > 1 && !slim ? 66 : 0; // of the layers and directions
  const predictionTop = 36;
  const predictionHeight = 74;
  const cardTop = (slim ? 30 : flat ? 130 : 142) - (strips === 2 && !slim ? 6 : 0);
  const stateTop = cardTop + 10 + (strips === 2 ? 10 : 0);
  const cardHeight = stateTop - cardTop + stateHeight + FOOT;
  const shifts: number[] = [];
  const groups: Layout["groups"][number][] = [];
  let down = 0;
  for (let layer = layers - 1; layer >= 0; layer--) {
    const top = cardTop + down;
    for (let direction = directions - 1; direction >= 0; direction--) {
      shifts[layer * directions + direction] = down;
      down += cardHeight + (direction > 0 ? between.directions : between.layers);
    }
    if (cards > 1) groups.push({ layer, top: top - FRAME, height: cardTop + down - between.layers - top + 2 * FRAME });
  }
  const cardsBottom = cardTop + down - between.layers;
  const inputTop = cardsBottom + (flat || slim ? 22 : 36);
  const inputHeight = tall ? 48 : 36;
  return {
    slim, hidden, detail, strips, strip, gap, card, tile, lane, row, stateHeight, cardHeight, cardTop, stateTop, inputTop, inputHeight,
    shifts, groups, cardsBottom,
    predictionTop, predictionHeight,
    x0: (slim ? 34 : 76) + names + indent,
    x1: (slim ? 70 : 132) + names + card / 2 + indent,
    indent,
    labels: LABELS + names,
    pitch: card + (slim ? 44 : strips === 2 ? 46 : 52),
    font: detail === "digits" ? (low || flat ? 13 : cards > 1 ? 12 : strips === 2 ? 12 : slim ? 13 : 14) : 0,
    headTop: slim ? 6 : 6,
    height: inputTop + inputHeight + 4,
    // Two rails of a low card are further apart: the factor of one stands above it
    forwardY: Math.round(stateTop + 0.335 * stateHeight),
    cellBackwardY: Math.round(stateTop + (flat ? 0.56 : 0.585) * stateHeight),
    backwardY: Math.round(stateTop + (flat && strips === 2 ? 0.92 : 0.835) * stateHeight),
  };
}

/** Centre of column t (the initial state at t = 0). */
export function columnX(layout: Pick<Layout, "x0" | "x1" | "pitch">, t: number): number {
  return t <= 0 ? layout.x0 : layout.x1 + (t - 1) * layout.pitch;
}

/** Width of what the tray has under a column. */
export const trayWidth = (pitch: number): number => Math.min(116, pitch - 24);

/** How far columns have to move to the right, in px at 100 %, so that those of the tray, under them, leave room for its names at the left at this zoom. */
export function indentAt({ x1, pitch, slim }: Pick<Layout, "x1" | "pitch" | "slim">, zoom: number): number {
  if (slim || zoom >= 1 || pitch * zoom < LEAST_PITCH) return 0;
  return Math.max(0, (TRAY_NAMES + trayWidth(pitch * zoom) / 2) / zoom - x1);
}

export function contentWidth(layout: Pick<Layout, "x0" | "x1" | "pitch" | "card">, columns: number): number {
  return columnX(layout, columns) + layout.card / 2 + LOSS_ROOM;
}

/** The steps whose cards (`card` wide, `pitch` apart, the first at `x1`) are in view, and `more` on either side. */
export function columnRange(x1: number, pitch: number, card: number, steps: number, scroll: number, width: number, more = 2): number[] {
  const first = Math.ceil((scroll - card / 2 - x1) / pitch) + 1;
  const last = Math.floor((scroll + width + card / 2 - x1) / pitch) + 1;
  const from = Math.max(1, first - more);
  const to = Math.min(steps, last + more);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

/** The steps of the cell view to be drawn. */
export function visibleSteps(layout: Pick<Layout, "x1" | "pitch" | "card">, steps: number, scroll: number, width: number): number[] {
  return columnRange(layout.x1, layout.pitch, layout.card, steps, scroll, width);
}

/** `6` or `6…8`. */
export const stepSpan = (from: number, to: number): string => (from === to ? String(from) : `${from}…${to}`);

/** The scroll position nearest to the present one at which column t, and room for its neighbour, is in view. */
export function scrollToColumn(layout: Layout, steps: number, t: number, scroll: number, width: number): number {
  const left = t <= 1 ? 0 : columnX(layout, t) - layout.card / 2 - layout.pitch;
  const right = t >= steps ? contentWidth(layout, steps) : columnX(layout, t) + layout.card / 2 + layout.pitch;
  if (right - left > width) return Math.max(0, columnX(layout, t) - width / 2);
  const gutter = layout.slim || t <= 1 ? 0 : layout.labels;
  if (left - gutter < scroll) return Math.max(0, left - gutter);
  return right > scroll + width ? right - width : scroll;
}

/** The scroll position nearest to the present one at which card k of the columns is in view, predictions and all for the top one; -1: the read-out. */
export function scrollToCard(layout: Layout, k: number, scroll: number, height: number): number {
  const shift = layout.shifts[k];
  const top = shift === undefined || shift === 0 ? 0 : layout.cardTop + shift - 16;
  const bottom = shift === undefined ? layout.predictionTop + layout.predictionHeight : k === 0 ? layout.height : layout.cardTop + shift + layout.cardHeight + 24;
  if (top < scroll) return Math.max(0, top);
  return bottom > scroll + height ? Math.min(top, bottom - height) : scroll;
}

/** The y of the top of row i of a state, from the top of the content. */
export function rowTop(layout: Layout, i: number): number {
  return layout.stateTop + i * layout.row;
}

/** The left edge of strip k (0: h, 1: c) in a column, from the column's centre. */
export function stripLeft(layout: Layout, k: number): number {
  const whole = layout.strips * layout.strip + (layout.strips - 1) * layout.gap;
  return -whole / 2 + k * (layout.strip + layout.gap);
}

/** Half the length of a lane: what the largest gradient fills. */
export const halfLane = (width: number): number => width / 2 - 1;
