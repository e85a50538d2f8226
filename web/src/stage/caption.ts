/** The one sentence under the stage: what the beat, or the event, that is just done did. Gives a message key and its parameters. */
import { outcomeOf } from "../model/clip";
import type { Film } from "../model/film";
import { decimals, significant } from "../model/format";
import { ALL, gradientNorm, tokenText, type Chain, type NetworkGrid } from "../model/network";
import type { Beat } from "../model/stops";
import type { Phase } from "../model/trace";
import { eventWords, symbolOf, type Words } from "../transport/words";
import { marksAt } from "./marks";

export interface Scene {
  film: Film;
  grid: NetworkGrid;
  beats: readonly Beat[];
  moment: number;
  example: number;
  after: boolean;
  /** A sentence of one event, which comes later than the first picture; until then its short words stand in for it. */
  event?: ((e: number) => Words) | null;
  /** What a class is called in the language shown. */
  className: (index: number) => string;
}

export interface CaptionText extends Words {
  phase: Phase;
}

const READS: Record<string, string> = {
  letters: "stage.caption.reads_letter",
  rows: "stage.caption.reads_row",
  series: "stage.caption.reads_number",
  pairs: "stage.caption.reads_pair",
};

const short = (x: number, digits = 2): string => decimals(x, digits, false);

export function captionOf(scene: Scene): CaptionText {
  const { film, beats, moment } = scene;
  const phase = film.phaseAt(moment);
  if (scene.after) return { phase: "forward", ...afterwards(scene) };
  const { done } = marksAt(beats, moment);
  if (!done) return { phase, key: "stage.caption.start", params: {} };
  if (moment < done.to) return { phase, ...(scene.event?.(moment - 1) ?? eventWords(film.trace, moment - 1)) };
  return { phase, ...ofBeat(scene, done) };
}

function ofBeat(scene: Scene, done: Beat): Words {
  switch (done.what) {
    case "step":
      return done.phase === "forward" ? reads(scene, done.time ?? 1, chainOf(scene, done)) : share(scene, done.time ?? 1, chainOf(scene, done));
    case "join":
      return { key: done.phase === "forward" ? "stage.caption.joins" : "stage.caption.splits", params: { layer: Number(done.chain?.slice(1) ?? 0) + 1 } };
    case "head":
      return done.phase === "forward" ? readOut(scene) : enters(scene);
    case "loss":
      return lossWords(scene);
    case "zero":
      return { key: "stage.caption.zero", params: {} };
    case "clip":
      return clipWords(scene);
    case "update":
      return moved(scene, done.parameter ?? -1);
  }
}

const chainOf = ({ grid }: Scene, { chain }: Beat): Chain => grid.chains.find((one) => one.suffix === chain) ?? grid.shown;

function reads(scene: Scene, t: number, { layer, reverse }: Chain): Words {
  const { film, grid, example } = scene;
  if (example === ALL) return { key: "stage.caption.reads_mean", params: { count: grid.column(t)?.rows ?? 0, t } };
  if (t > lastStep(scene)) return { key: "stage.caption.ended", params: {} };
  if (layer > 0) return { key: "stage.caption.reads_below", params: { layer: layer + 1, t } };
  if (reverse) return { key: "stage.caption.reads_back", params: { t } };
  const token = tokenText(film.trace, example, t);
  return { key: READS[grid.batch.display] ?? "stage.caption.reads_number", params: { token, t } };
}

const lastStep = ({ grid, example }: Scene): number => grid.examples[example]?.length ?? grid.columns.length;

function readOut(scene: Scene): Words {
  const { grid } = scene;
  const key = grid.readout === "every" ? "stage.caption.read_out_every" : grid.kind === "classification" ? "stage.caption.read_out_classes" : "stage.caption.read_out_number";
  return { key, params: { last: lastStep(scene) } };
}

/** The probability of the right class after the last step, with the parameters before or after the update; null where there is none. */
export function rightProbability({ film, grid, example }: Pick<Scene, "film" | "grid" | "example">, after: boolean): { target: number; p: number; best: number } | null {
  const sequence = grid.examples[example];
  const probe = sequence && grid.column(sequence.length)?.probe?.p;
  if (grid.kind !== "classification" || probe === null || probe === undefined || typeof sequence?.target !== "number") return null;
  const tensor = after ? film.trace.after?.values.get(probe) : film.trace.value(probe);
  if (!tensor) return null;
  const classes = tensor.shape[1]!;
  const row = Array.from(tensor.data.subarray(example * classes, (example + 1) * classes));
  return { target: sequence.target, p: row[sequence.target]!, best: row.indexOf(Math.max(...row)) };
}

function lossWords(scene: Scene): Words {
  const { film, grid, className } = scene;
  const loss = short(film.trace.value(film.trace.loss).flat(0), 3);
  const right = rightProbability(scene, false);
  if (right && grid.examples.length === 1 && grid.readout === "last") {
    return { key: "stage.caption.loss_class", params: { name: className(right.target), p: significant(right.p, 4, false), loss } };
  }
  if (grid.kind === "classification") return { key: "stage.caption.loss_classes", params: { loss, count: grid.examples.length } };
  return { key: "stage.caption.loss_numbers", params: { loss } };
}

function enters(scene: Scene): Words {
  const { film, grid, moment, example } = scene;
  const last = lastStep(scene);
  if (grid.readout === "every") return { key: "stage.caption.enters_every", params: {} };
  const norm = gradientNorm(film, grid, last, example, moment);
  return norm === null ? { key: "stage.caption.enters_others", params: {} } : { key: "stage.caption.enters", params: { last, norm: short(norm) } };
}

function share(scene: Scene, t: number, { layer, reverse }: Chain): Words {
  const { film, grid, moment, example } = scene;
  if (reverse) return { key: "stage.caption.share_direction", params: { t } };
  if (grid.stack.layers > 1) return { key: "stage.caption.share_layer", params: { layer: layer + 1, t } };
  if (t > 1) return { key: "stage.caption.share", params: { t, next: t - 1 } };
  const last = lastStep(scene);
  const [from, to] = [gradientNorm(film, grid, last, example, moment), gradientNorm(film, grid, 1, example, moment)];
  if (from === null || to === null || last === 1) return { key: "stage.caption.share_last", params: {} };
  if (grid.readout === "every") return { key: "stage.caption.arrived_every", params: { to: short(to) } };
  return { key: "stage.caption.arrived", params: { last, from: short(from), to: short(to) } };
}

function clipWords({ film }: Scene): Words {
  const { clip } = film;
  if (!clip) return { key: "stage.event.clip", params: {} };
  const params = { norm: short(clip.norm, 3), max: short(clip.maxNorm), factor: short(clip.coefficient, 4) };
  const outcome = outcomeOf(clip);
  if (outcome === "nothing" || outcome === "no_number") return { key: `stage.caption.clip_${outcome}`, params };
  return { key: clip.coefficient < 1 ? "stage.caption.clipped" : "stage.caption.not_clipped", params };
}

function moved(scene: Scene, parameter: number): Words {
  const { film, grid } = scene;
  const name = `$${symbolOf(film.trace, parameter) ?? ""}$`;
  const shared = grid.columns.length > 1 && (film.trace.nodes[parameter]?.path.startsWith("rnn.") ?? false);
  return shared ? { key: "stage.caption.moves_shared", params: { name, count: grid.columns.length } } : { key: "stage.caption.moves", params: { name } };
}

/** Two numbers with as many decimals (2 to 4) as it takes to tell them apart. */
function apart(one: number, other: number): [string, string] {
  const digits = [2, 3].find((d) => short(one, d) !== short(other, d)) ?? 4;
  return [short(one, digits), short(other, digits)];
}

function afterwards(scene: Scene): Words {
  const { film, className } = scene;
  const [before, after] = [rightProbability(scene, false), rightProbability(scene, true)];
  if (before && after) {
    const key = after.best === after.target ? (before.best === before.target ? "stage.caption.after_still" : "stage.caption.after_right") : "stage.caption.after_wrong";
    const [from, to] = apart(before.p, after.p);
    return { key, params: { name: className(after.target), before: from, after: to } };
  }
  const loss = film.trace.after?.values.get(film.trace.loss)?.flat(0);
  const was = film.trace.value(film.trace.loss).flat(0);
  return { key: "stage.caption.after_loss", params: { before: short(was, 3), after: short(loss ?? was, 3) } };
}
