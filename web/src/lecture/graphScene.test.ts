import { describe, expect, it } from "vitest";
import "./words";
import { fill } from "../i18n/format";
import { catalogues } from "../i18n/catalogues";
import type { Language } from "../i18n/languages";
import { film } from "../model/fixtures";
import { USUAL } from "../math/notation";
import { LONGEST } from "./cues";
import { graphCaptions, graphCues, lectureScene, place, told, within } from "./graphScene";

const tell = (lang: Language) => ({ say: (key: string, params = {}) => fill(catalogues[lang][key]!, params), className: String });
const both = { en: tell("en"), zh: tell("zh") };

describe("the lecture of a formula", () => {
  const shown = film("layers");

  it("has cards that hold three lines, and the page's edges", () => {
    const scene = lectureScene(shown.trace);
    expect(scene.items).toHaveLength(shown.trace.nodes.length);
    for (const { width, height } of scene.items) expect([width >= 160, height]).toEqual([true, 128]);
    expect(scene.lines).toHaveLength(shown.trace.nodes.reduce((sum, { inputs }) => sum + inputs.length, 0));
  });

  it("shows all of a small drawing, and of a larger one what has just happened", () => {
    const room = { width: 1200, height: 400 };
    expect(place({ width: 600, height: 200 }, room, null)).toEqual({ x: 300, y: 100 });
    for (const x of [0, 700, 2840]) {
      const box = { x: x + 24, y: 24, width: 160, height: 128 };
      expect(within(box, place({ width: 3048, height: 380 }, room, box), room)).toBe(true);
    }
  });

  it("explains the number that the event was about", () => {
    for (let moment = 1; moment <= shown.length; moment++) {
      const why = told(shown, moment, USUAL);
      const event = shown.trace.events;
      const node = event.target(moment - 1) >= 0 ? event.target(moment - 1) : event.node(moment - 1);
      if (node >= 0) expect(why.target.node).toBe(node);
      expect(why.symbols).not.toBe("");
    }
  });

  it("has captions that fit, and cues of its turning points", () => {
    const cues = graphCues(shown, both);
    expect(cues.length).toBeGreaterThan(5);
    expect(cues.map(({ at }) => at)).toEqual([...cues.map(({ at }) => at)].sort((one, other) => Number(one) - Number(other)));
    for (let moment = 0; moment <= shown.length; moment++) {
      const caption = graphCaptions(shown, moment, both);
      for (const text of Object.values(caption)) {
        expect(text.length).toBeLessThanOrEqual(LONGEST);
        expect(text).not.toMatch(/\{[a-z]+\}|undefined/);
        expect(text.split("$").length % 2).toBe(1);
      }
    }
  });
});
