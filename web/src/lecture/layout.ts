/** The geometry of the lecture's canvas, 1280 x 720, whatever the window: it is drawn once and scaled. */
import type { NetworkGrid } from "../model/network";

export const WIDTH = 1280;
export const HEIGHT = 720;

export interface LectureLayout {
  /** Elements with digits (hidden size up to 4), or bands of colour with norms in figures. */
  readonly digits: boolean;
  readonly strips: 1 | 2;
  readonly strip: number;
  readonly gap: number;
  readonly card: number;
  readonly pitch: number;
  /** Centre of the first column. */
  readonly x1: number;
  readonly row: number;
  readonly tile: number;
  readonly lane: number;
  readonly letterY: number;
  readonly namesY: number;
  readonly cardTop: number;
  readonly stateTop: number;
  readonly cardHeight: number;
  readonly forwardY: number;
  readonly backwardY: number;
  readonly normY: number;
  readonly spotTop: number;
  readonly spotHeight: number;
  readonly captionTop: number;
}

export const LEFT = 48;
/** Room for x, h, and the norm of the gradient, outside the spotlight of the first card. */
const LABELS = { roomy: 152, close: 130 };
const RIGHT = 20;
/** From the norm of dL/dh to that of dL/dc. */
export const NORM = 40;
const HOP = 92; // room for a factor between two cards

/** `right`: pixels at the right that something else takes. */
export function lectureLayout(cell: NetworkGrid["cell"], hidden: number, columns: number, bilingual: boolean, right = 0): LectureLayout {
  const strips = cell === "lstm" ? 2 : 1;
  const digits = hidden <= 4;
  const strip = strips === 2 || columns > 5 ? 88 : 104;
  const gap = 4;
  const card = strips * strip + (strips - 1) * gap + 16;
  const x1 = LEFT + (strips === 2 || columns > 5 ? LABELS.close : LABELS.roomy) + card / 2;
  const room = WIDTH - RIGHT - right - x1 - card / 2;
  const pitch = columns > 1 ? Math.min(222 + (strips - 1) * 90, Math.max(card + HOP, room / (columns - 1))) : 0;
  const full = strips === 2 ? (bilingual ? 56 : 66) : bilingual ? 66 : 82;
  const row = digits ? full : (4 * full) / hidden;
  const lane = digits ? (bilingual ? 16 : 22) : Math.max(1, Math.floor(row * 0.3));
  const tile = digits ? full - lane - 4 : row - lane;
  const head = bilingual ? 54 : 82; // centre of the letters
  const names = strips === 2 ? 36 : 0;
  const cardTop = head + (bilingual ? 40 : 56) - (strips === 2 ? 12 : 0);
  const stateTop = cardTop + 12 + names;
  const cardHeight = stateTop - cardTop + Math.max(2, digits ? hidden : 4) * full + 2;
  const normY = cardTop + cardHeight + (bilingual ? 26 : 32);
  const lastNorm = normY + (strips - 1) * NORM;
  const spotTop = head - (bilingual ? 36 : 42);
  return {
    digits, strips, strip, gap, card, pitch, x1, row, tile, lane, cardTop, stateTop, cardHeight, normY, spotTop,
    letterY: head,
    namesY: cardTop + 8,
    spotHeight: lastNorm + (bilingual ? 28 : 40) - spotTop,
    forwardY: stateTop + full * 0.4,
    backwardY: stateTop + Math.max(2, digits ? hidden : 4) * full - full * 0.62,
    captionTop: Math.max(lastNorm + (bilingual ? 40 : 54), bilingual ? 452 : 574),
  };
}

export const columnX = (layout: LectureLayout, k: number): number => layout.x1 + k * layout.pitch;

/** How large the canvas is drawn, and where, in a window: as large as fits, in the middle. */
export function letterbox(width: number, height: number): { scale: number; left: number; top: number } {
  const scale = Math.min(width / WIDTH, height / HEIGHT);
  return { scale, left: (width - WIDTH * scale) / 2, top: (height - HEIGHT * scale) / 2 };
}
