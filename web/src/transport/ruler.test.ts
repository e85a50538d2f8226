import { describe, expect, it } from "vitest";
import { momentAt, phaseLabels, roomyLabels, scaleOf, standing, ticks, xOf } from "./ruler";

const scale = scaleOf(848, 24, 100); // 8 px an event

describe("the ruler's scale", () => {
  it("goes from pixels to events and back", () => {
    expect([xOf(scale, 0), xOf(scale, 50), xOf(scale, 100)]).toEqual([24, 424, 824]);
    for (const moment of [0, 1, 37, 99, 100]) expect(momentAt(scale, xOf(scale, moment))).toBe(moment);
    expect(momentAt(scale, xOf(scale, 10) + 3.9)).toBe(10);
    expect(momentAt(scale, xOf(scale, 10) + 4.1)).toBe(11);
  });

  it("stays within the film", () => {
    expect([momentAt(scale, -50), momentAt(scale, 5000)]).toEqual([0, 100]);
    expect(momentAt(scaleOf(10, 24, 100), 5)).toBe(0);
    expect(xOf(scaleOf(848, 24, 0), 0)).toBe(24);
  });
});

describe("ticks", () => {
  it("are one an event where there is room", () => {
    expect(ticks(scale)).toHaveLength(101);
  });

  it("are thinned to 2, 5, 10 … where there is not", () => {
    expect(ticks(scaleOf(848, 24, 300))[1]).toBe(2);
    expect(ticks(scaleOf(848, 24, 900))[1]).toBe(5);
    expect(ticks(scaleOf(848, 24, 1500))[1]).toBe(10);
    for (const events of [37, 451, 1311, 12_000, 900_000]) {
      const list = ticks(scaleOf(848, 24, events));
      expect((list[1]! - list[0]!) * (800 / events)).toBeGreaterThanOrEqual(4);
      expect(list.at(-1)!).toBeLessThanOrEqual(events);
    }
  });
});

describe("tall ticks", () => {
  it("keep two pixels apart", () => {
    expect(standing(scale, [0, 1, 2])).toEqual([24, 32, 40]);
    const places = standing(scaleOf(848, 24, 70_000), Array.from({ length: 50_000 }, (_, i) => i));
    expect(places.length).toBeLessThan(401);
    places.slice(1).forEach((x, i) => expect(x - places[i]!).toBeGreaterThanOrEqual(2));
  });
});

describe("labels", () => {
  it("of steps are left out where they would touch", () => {
    const labels = [1, 2, 3, 4].map((t) => ({ from: 2 * t, to: 2 * t + 2, text: String(t) }));
    expect(roomyLabels(scale, labels, 17).map((label) => label.text)).toEqual(["1", "3"]);
    expect(roomyLabels(scale, labels, 10).map((label) => label.text)).toEqual(["1", "2", "3", "4"]);
  });

  it("of phases keep clear of each other and of the ends", () => {
    const names = phaseLabels([{ x: 24, text: "forward", on: false }, { x: 500, text: "loss", on: false }, { x: 503, text: "backward", on: true }, { x: 815, text: "update", on: false }], 824);
    expect(names.map(({ text, at, anchor }) => [text, at, anchor])).toEqual([["forward", 24, "start"], ["loss", 497, "end"], ["backward", 503, "start"], ["update", 824, "end"]]);
  });

  it("of a phase without any room are left out", () => {
    const names = phaseLabels([{ x: 24, text: "forward", on: true }, { x: 70, text: "loss", on: false }, { x: 75, text: "backward", on: false }], 824);
    expect(names.map((name) => name.text)).toEqual(["forward", "backward"]);
  });
});
