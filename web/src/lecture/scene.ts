/** What a lecture shows at a moment: which picture, where the spotlight stands, and the sentence under it in any language. */
import type { Language } from "../i18n/languages";
import { decimals } from "../model/format";
import { hopFactor, tokenText, type NetworkGrid } from "../model/network";
import type { Beat } from "../model/stops";
import { captionOf, type Scene } from "../stage/caption";
import eventCaption from "../stage/said/eventCaption";
import { marksAt } from "../stage/marks";

export interface Picture {
  /** grid: cells through time. readout: the last cells and the prediction. clip, update: what happens to the gradients, and to a parameter. */
  what: "grid" | "readout" | "clip" | "update";
  /** The time steps of the spotlight; none: all are lit. */
  spot: number[];
  /** The parameter that moves. */
  parameter: number | null;
}

/** `afterStep`: how far the forward pass with the new parameters has come; null before it. */
export function pictureAt(scene: Omit<Scene, "className">, afterStep: number | null): Picture {
  const { beats, moment, grid, example } = scene;
  const steps = grid.examples[example]?.length ?? grid.columns.length;
  const at = (what: Picture["what"], spot: number[] = [], parameter: number | null = null): Picture => ({ what, spot, parameter });
  if (afterStep !== null) return afterStep >= steps ? at("readout", [steps]) : at("grid", pair(grid, Math.max(1, afterStep)));
  const { done } = marksAt(beats, moment);
  if (!done) return at("grid");
  if (done.time !== null) return at("grid", done.time > steps ? [steps] : shown(grid, done) ? pair(grid, done.time) : [done.time]);
  if (done.what === "head" || done.what === "loss") return at("readout", [steps]);
  if (done.what === "clip") return at("clip");
  if (done.what === "update") return at("update", [], done.parameter ?? null);
  return at("grid");
}

/** A step and the one before it: between them the state goes forward, and the gradient back. */
function pair(grid: NetworkGrid, t: number): number[] {
  const before = grid.previous(t);
  return grid.column(before) ? [before, t].sort((one, other) => one - other) : [t];
}

/** The network as the layer and direction show it that the film is in: at what is of none, the read-out say, as `grid` does. */
export function gridAt(grid: NetworkGrid, beats: readonly Beat[], moment: number): NetworkGrid {
  const at = marksAt(beats, moment).done ?? beats[0]; // before anything has happened: that which begins
  const chain = at?.time === null ? null : grid.chains.find(({ suffix }) => suffix === at?.chain);
  return chain ? grid.showing(chain) : grid;
}

/** Whether a beat is of the layer and direction that is shown. */
const shown = (grid: NetworkGrid, beat: Beat): boolean => beat.chain === undefined || beat.chain === grid.shown.suffix;

export interface Sentence {
  key: string;
  params: Record<string, string | number>;
}

const PARTS: [number, string][] = [
  [1 / 4, "quarter"],
  [1 / 3, "third"],
  [1 / 2, "half"],
  [2 / 3, "two_thirds"],
  [3 / 4, "three_quarters"],
  [9 / 10, "nine_tenths"],
];

export type Say = (key: string, params?: Record<string, string | number>) => string;

/** A share in words where it is one that has a name, to the hundredth ("about" within two), else in per cent. */
export function part(share: number, say: Say): string {
  const near = PARTS.map(([size, name]) => ({ name, off: Math.abs(share - size) })).sort((one, other) => one.off - other.off)[0]!;
  if (near.off < 0.007) return say(`teach.part.${near.name}`);
  if (near.off < 0.02) return say("teach.part.about", { part: say(`teach.part.${near.name}`) });
  const percent = 100 * share;
  return `${percent > 99 && percent < 100 ? percent.toFixed(percent > 99.9 ? 2 : 1) : Math.round(percent)} %`;
}

/** What is said of the hop that the gradient has just made; null where the caption of the stage says all there is. */
export function hopSentence(scene: Scene, say: Say): Sentence | null {
  const { film, grid, beats, moment, example, after } = scene;
  if (after) return null;
  const { done } = marksAt(beats, moment);
  if (!done || done.phase !== "backward" || done.time === null || !shown(grid, done) || moment < done.to) return null;
  const earlier = grid.previous(done.time);
  const factor = hopFactor(film, grid, done.time, example, moment);
  if (factor === null || !Number.isFinite(factor)) return null;
  const tokens = [tokenText(film.trace, example, done.time), tokenText(film.trace, example, earlier)];
  const letters = grid.shown.layer === 0 && grid.batch.display === "letters" && tokens.every((token) => token.trim() !== "");
  const [from, to] = letters ? (tokens as [string, string]) : [done.time, earlier];
  const which = factor > 1.01 ? "hop_grown" : factor > 0.95 ? "hop_kept" : "hop";
  const params = { from, to, part: part(1 - factor, say), factor: decimals(factor, 2, false) };
  if (grid.cell === "lstm" && which === "hop") return { key: `teach.caption.hop_lstm${letters ? "" : "_steps"}`, params };
  return { key: `teach.caption.${which}${letters ? "" : "_steps"}`, params };
}

/** The caption of a moment as one text of the catalogue's making: the sentence of the hop, else that of the stage. */
export function captionIn(scene: Scene, say: Say): string {
  const hop = hopSentence(scene, say);
  const { key, params } = hop ?? captionOf({ ...scene, event: (e) => eventCaption(scene.film.trace, scene.grid, e) });
  return say(key, params).replace(/\s*\*\*[^*]*\*\*$/, ""); // what invites to tap a number is for those who sit at the screen
}

export type Bilingual = Record<Language, string>;
