// @vitest-environment happy-dom
import "./words";
import { describe, expect, it } from "vitest";
import { inLanguage } from "../i18n/index.svelte";
import type { Language } from "../i18n/languages";
import { film, FIXTURES } from "../model/fixtures";
import { renderTex, segments } from "../math/render";
import { gradientNorm, NetworkGrid, tokenText } from "../model/network";
import { beats } from "../model/stops";
import { columnsShown, leftOut, mostColumns, readColumns } from "./columns";
import { captionsOf, defaultCues, type Told } from "./defaultCues";
import { LONGEST } from "./cues";
import { factorText } from "./factor";
import { columnX, HEIGHT, lectureLayout, letterbox, WIDTH } from "./layout";
import { gridAt, part, pictureAt, type Say } from "./scene";

const say = (lang: Language): Say => (key, params = {}) => inLanguage(lang, key, params);

function sceneOf(name: (typeof FIXTURES)[number]) {
  const shown = film(name);
  const grid = NetworkGrid.of(shown.trace)!;
  const className = (index: number): string => grid.batch.classes?.[index] ?? String(index);
  const told: Told = { en: { say: say("en"), className }, zh: { say: say("zh"), className } };
  return { shown, grid, told, scene: { film: shown, grid, beats: beats(shown), example: 0 } };
}

describe("of several layers and directions", () => {
  it("the one is shown that the film is in, and the film's own where it is in none", () => {
    const { scene, grid } = sceneOf("stack");
    expect(grid.chains.length).toBeGreaterThan(1);
    const first = scene.beats[0]!.chain;
    expect(gridAt(grid, scene.beats, 0).shown.suffix).toBe(first);
    const seen = new Set<string>();
    for (const beat of scene.beats) {
      const { shown } = gridAt(grid, scene.beats, beat.to);
      if (beat.time === null) expect(shown).toBe(grid.shown);
      else expect(shown.suffix).toBe(beat.chain);
      seen.add(shown.suffix);
    }
    expect(seen).toEqual(new Set(grid.chains.map(({ suffix }) => suffix)));
  });
});

describe("the steps that are shown", () => {
  it("are all that fit, those in question in the middle as far as the ends allow", () => {
    expect(columnsShown(5, 6, [3], null)).toEqual([1, 2, 3, 4, 5]);
    expect(columnsShown(50, 6, [20, 21], null)).toEqual([18, 19, 20, 21, 22, 23]);
    expect([columnsShown(50, 6, [1], null)[0], columnsShown(50, 6, [49, 50], null).at(-1), columnsShown(50, 6, [], null)[0]]).toEqual([1, 50, 1]);
    for (let t = 2; t <= 50; t++) expect(columnsShown(50, 4, [t - 1, t], null)).toEqual(expect.arrayContaining([t - 1, t]));
  });

  it("are the chosen ones where these exist", () => {
    expect(columnsShown(9, 6, [5], [1, 4, 9, 12])).toEqual([1, 4, 9]);
    expect(columnsShown(3, 6, [1], [7])).toEqual([1, 2, 3]);
  });

  it("are read as they are written, and nothing else is", () => {
    expect([readColumns("1, 4-6", 9, 6), readColumns(" ", 9, 6), readColumns("3，1", 9, 6)]).toEqual([[1, 4, 5, 6], null, [1, 3]]);
    for (const text of ["0", "10", "4-2", "a", "1-8", "1;;x", "-3", "1.5"]) expect([text, readColumns(text, 9, 6)]).toEqual([text, undefined]);
  });

  it("say what is left out", () => {
    expect([leftOut(12, [4, 5, 6, 7, 8]), leftOut(3, [1, 2, 3]), leftOut(4, [1, 3])]).toEqual(["1\\ldots 3,\\,9\\ldots 12", "", "2,\\,4"]);
    expect(leftOut(4, [1, 2])).toBe("3,\\,4");
  });
});

describe("the canvas", () => {
  it("keeps all columns, and room for a factor between two, inside 1280 x 720", () => {
    for (const cell of ["rnn", "gru", "lstm"] as const) {
      for (const hidden of [1, 2, 4, 8, 64]) {
        for (const bilingual of [false, true]) {
          for (let columns = 1; columns <= mostColumns(cell); columns++) {
            const layout = lectureLayout(cell, hidden, columns, bilingual);
            expect(columnX(layout, columns - 1) + layout.card / 2).toBeLessThanOrEqual(WIDTH - 12);
            if (columns > 1) expect(layout.pitch - layout.card).toBeGreaterThanOrEqual(92);
            expect(layout.spotTop).toBeGreaterThanOrEqual(8);
            expect(layout.spotTop + layout.spotHeight).toBeLessThanOrEqual(layout.captionTop);
            expect(layout.captionTop + (bilingual ? 4 * 44 : 2 * 48)).toBeLessThanOrEqual(HEIGHT);
            if (layout.digits) expect(layout.tile).toBeGreaterThanOrEqual(34);
          }
        }
      }
    }
  });

  it("is as large as the window allows, in its middle", () => {
    expect(letterbox(1280, 720)).toEqual({ scale: 1, left: 0, top: 0 });
    expect(letterbox(1024, 768)).toEqual({ scale: 0.8, left: 0, top: 96 });
    expect(letterbox(3840, 1080)).toEqual({ scale: 1.5, left: 960, top: 0 });
  });

  it("writes factors in five characters at most, and never a small one as nothing", () => {
    for (const factor of [0.33, 1, 9.99, 9.999, 12.34, 120, 5000, 0.05, 0.0996, 0.0004, 1e-9, 0, Infinity, NaN]) expect(factorText(factor).length).toBeLessThanOrEqual(5);
    expect([0.333, 0.04, 0.0001, 12.34, 0].map(factorText)).toEqual(["×0.33", "×.040", "<.001", "×12.3", "×0"]);
  });
});

describe("the picture of a moment", () => {
  it("is lit where something has just happened", () => {
    const { scene } = sceneOf("rnn");
    for (const beat of scene.beats) {
      const { what, spot, parameter } = pictureAt({ ...scene, moment: beat.to, after: false }, null);
      if (beat.what === "step") expect([what, spot]).toEqual(["grid", beat.time === 1 ? [1] : [beat.time! - 1, beat.time]]);
      else if (beat.what === "clip") expect(what).toBe("clip");
      else if (beat.what === "update") expect([what, parameter]).toEqual(["update", beat.parameter]);
      else expect(what).toBe(beat.what === "zero" ? "grid" : "readout");
    }
    expect(pictureAt({ ...scene, moment: 0, after: false }, null)).toEqual({ what: "grid", spot: [], parameter: null });
    expect(pictureAt({ ...scene, moment: scene.film.length, after: true }, 5).what).toBe("readout");
    expect(pictureAt({ ...scene, moment: scene.film.length, after: true }, 2).spot).toEqual([1, 2]);
  });

  it("calls a share by its name only where it has one", () => {
    const words = [0.667, 0.66, 0.655, 0.64, 0.5, 0.249, 0.9994, 0.994, 0.07].map((share) => part(share, say("en")));
    expect(words).toEqual(["two thirds", "two thirds", "about two thirds", "64 %", "half", "a quarter", "99.94 %", "99.4 %", "7 %"]);
    expect(part(2 / 3, say("zh"))).toBe("三分之二");
  });
});

describe.each(["rnn", "gru", "lstm", "rnn-batch"] as const)("the cue list that %s makes of itself", (name) => {
  const { scene, told, grid, shown } = sceneOf(name);
  const cues = defaultCues(scene, told);

  it("has a handful of moments in order, each said in both languages", () => {
    expect(cues.length).toBeGreaterThanOrEqual(5);
    expect(cues.length).toBeLessThanOrEqual(10);
    const places = cues.map(({ at }) => (at === "after" ? Infinity : at));
    expect(places).toEqual([...new Set(places)].sort((one, other) => one - other));
    for (const { caption } of cues) {
      for (const lang of ["en", "zh"] as const) {
        expect(caption[lang].length).toBeGreaterThan(5);
        expect(caption[lang].length).toBeLessThanOrEqual(LONGEST);
        expect(caption[lang].replace(/\$[^$]*\$/g, "")).not.toMatch(/\*\*|[{}]/);
        for (const piece of segments(caption[lang])) if (piece.kind === "tex") expect(renderTex(piece.text, false)).not.toMatch(/merror|tex-unread/);
      }
      expect(caption.zh).toMatch(/[一-鿿]/);
    }
  });

  it("speaks of the hop that loses most with the numbers of the film", () => {
    if (grid.readout === "every") return;
    const steps = grid.examples[0]!.length;
    const norms = Array.from({ length: steps }, (_, k) => gradientNorm(shown, grid, k + 1, 0, shown.length)!);
    const factors = norms.slice(1).map((norm, k) => norms[k]! / norm);
    const t = factors.indexOf(Math.min(...factors)) + 2;
    const beat = scene.beats.find((one) => one.phase === "backward" && one.time === t)!;
    const { en } = captionsOf({ ...scene, moment: beat.to, after: false }, told);
    expect(cues.map(({ caption }) => caption.en)).toContain(en);
    const letters = grid.batch.display === "letters";
    expect(en).toContain(letters ? `“${tokenText(shown.trace, 0, t)}” back to “${tokenText(shown.trace, 0, t - 1)}”` : `t = ${t} back to t = ${t - 1}`);
    const factor = factors[t - 2]!;
    expect(en).toContain(factor > 0.95 ? `× ${factor.toFixed(2)}` : part(1 - factor, say("en")));
  });
});
