/** The cue list that a film makes of itself: its turning points, each with a caption of its own numbers. */
import type { Language } from "../i18n/languages";
import { hopFactor } from "../model/network";
import type { Beat } from "../model/stops";
import type { Scene } from "../stage/caption";
import { LONGEST, type Cue } from "./cues";
import { captionIn, type Say } from "./scene";

/** What a film is told with, in each language. */
export type Told = Record<Language, { say: Say; className: (index: number) => string }>;

/** The caption of a moment in each language, at most as long as a cue's. */
export function captionsOf(scene: Omit<Scene, "className">, told: Told): Record<Language, string> {
  const one = (lang: Language): string => captionIn({ ...scene, className: told[lang].className }, told[lang].say).slice(0, LONGEST);
  return { en: one("en"), zh: one("zh") };
}

export function defaultCues(scene: Omit<Scene, "className" | "moment" | "after">, told: Told): Cue[] {
  const { film, grid, beats, example } = scene;
  const steps = grid.examples[example]?.length ?? grid.columns.length;
  const find = (fits: (beat: Beat) => boolean): Beat | null => beats.find(fits) ?? null;
  const last = (fits: (beat: Beat) => boolean): Beat | null => beats.findLast(fits) ?? null;
  const back = beats.filter((beat) => beat.phase === "backward" && beat.time !== null && beat.time <= steps && (beat.chain === undefined || beat.chain === grid.shown.suffix));
  const factors = back.map((beat) => hopFactor(film, grid, beat.time!, example, beat.to));
  const weakest = back[factors.reduce<number>((best, factor, k) => (factor !== null && (best < 0 || factor < factors[best]!) ? k : best), -1)] ?? null;
  const stops = [
    find((beat) => beat.phase === "forward" && beat.time === Math.min(2, steps)),
    find((beat) => beat.phase === "forward" && beat.time === steps),
    last((beat) => beat.what === "loss"),
    weakest,
    last((beat) => beat.phase === "backward" && beat.time === 1),
    find((beat) => beat.what === "clip"),
    find((beat) => beat.what === "update" && (film.trace.nodes[beat.parameter ?? -1]?.path.includes("weight_hh") ?? false)),
  ];
  const moments = [...new Set(stops.flatMap((beat) => (beat ? [beat.to] : [])))].sort((one, other) => one - other);
  const cue = (at: Cue["at"]): Cue => {
    const [moment, after] = at === "after" ? [film.length, true] : [at, false];
    return { at, caption: captionsOf({ ...scene, moment, after }, told), columns: null };
  };
  const list = moments.map(cue);
  const text = grid.examples[example]?.text ?? "";
  if (grid.batch.display === "letters" && grid.kind === "classification" && text !== "") {
    list.unshift({ at: 0, caption: { en: told.en.say("teach.caption.question", { text }), zh: told.zh.say("teach.caption.question", { text }) }, columns: null });
  }
  if (film.trace.after) list.push(cue("after"));
  return list;
}
