/** The sentence under the panes: how far the films are, and once all gradients are there, what they come to. */
import type { Params } from "../i18n/format";
import { decimals, power } from "../model/format";
import type { Phase } from "../model/trace";
import { hopOf, small, type Halves } from "./norms";
import type { Point } from "./sync";

export interface Caption {
  phase: Phase;
  key: string;
  params: Params;
  /** The sentence that says how it comes about, where the cells are the reason. */
  because?: string;
  becauseParams?: Params;
}

/** Below this share of its size a gradient has vanished; above that it has been kept. */
export const VANISHED = 1e-3;
export const KEPT = 0.1;

/** "72,000 times smaller", to two digits. */
export function shrink(ratio: number): string {
  const times = 1 / ratio;
  if (times >= 1e7) return power(times, 0, false);
  return times < 10 ? decimals(times, 1, false) : Math.round(Number(times.toPrecision(2))).toLocaleString("en");
}

export interface Film {
  name: string;
  cell: "rnn" | "lstm" | "gru";
  /** ||dL/dh_1|| / ||dL/dh_T||. */
  ratio: number | null;
  /** Of an RNN's hops. */
  halves: Halves | null;
}

const factor = (x: number): string => `×${decimals(x, 3, false)}`;
const hop = (ratio: number, steps: number): string => factor(hopOf(ratio, steps));

export function captionOf(point: Point | undefined, films: readonly Film[], done: boolean, steps: number, join: (names: string[]) => string): Caption {
  if (!point) return { phase: "forward", key: "compare.caption.start", params: {} };
  const { phase, what, time } = point;
  if (phase === "update") return { phase, key: "compare.caption.update", params: {} };
  if (phase === "loss" || what === "loss") return { phase, key: "compare.caption.loss", params: {} };
  if (phase === "forward") return time === null ? { phase, key: "compare.caption.read_out", params: {} } : { phase, key: "compare.caption.forward", params: { t: time, last: steps } };
  if (!done) return time === null ? { phase, key: "compare.caption.seed", params: { last: steps } } : { phase, key: "compare.caption.backward", params: { t: time } };
  const known = films.filter((film): film is Film & { ratio: number } => film.ratio !== null);
  const lost = known.filter((film) => film.ratio < VANISHED);
  const kept = known.filter((film) => film.ratio >= KEPT);
  const each = known.map((film) => `${film.name} ${small(film.ratio)}`).join(" · ");
  const params = { last: steps, each, lost: join(lost.map((film) => film.name)), kept: join(kept.map((film) => film.name)), times: lost[0] ? shrink(lost[0].ratio) : "" };
  const because = (ratio: number, { slope, matrix }: Halves): Partial<Caption> => ({ because: "compare.caption.because", becauseParams: { rnn: hop(ratio, steps), slope: factor(slope), matrix: factor(matrix), gated: join(kept.map((film) => `${film.name} ${hop(film.ratio, steps)}`)) } });
  if (lost.length === known.length && known.length > 0) return { phase, key: "compare.caption.all_vanish", params };
  if (lost.length === 1 && kept.length > 0) return { phase, key: "compare.caption.one_vanishes", params, ...(lost[0]!.halves && kept.every(({ cell }) => cell !== "rnn") && because(lost[0]!.ratio, lost[0]!.halves)) };
  if (lost.length > 1 && kept.length > 0) return { phase, key: "compare.caption.some_vanish", params };
  return { phase, key: "compare.caption.left", params };
}
