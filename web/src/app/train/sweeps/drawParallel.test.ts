import { describe, expect, it } from "vitest";
import type { Sweep, Trial } from "../../../api/sweeps";
import { drawParallel, frameOf, numberPlace, pixel } from "./drawParallel";
import { axesOf, placesOf } from "./parallel";

const trial = (number: number, value: number | null, params: Trial["params"]): Trial => ({ number, value, params, state: "complete", run: null, error: null, curve: [] });
const trials = [trial(0, 0.2, { lr: 0.001, cell: "gru", hidden_size: 8 }), trial(1, 1.2, { lr: 0.1, cell: "an uncommonly long name", hidden_size: 32 }), trial(2, null, { lr: 0.01, cell: "gru", hidden_size: 8 })];
const space: Sweep["space"] = { lr: { low: 0.001, high: 0.1, log: true }, cell: { choices: ["gru", "an uncommonly long name"] }, hidden_size: { choices: [32, 8] } };
const axes = axesOf({ space, trials }, (name, value) => `${name === "value" ? "score " : ""}${value}`);
const LETTER = 6; // px, about that of a letter of 11 px

interface Text {
  text: string;
  left: number;
  right: number;
  foot: number;
}

/** What is drawn in so many pixels: the lines of the trials point by point, and the numbers of the axes. */
function drawn(place: number): { frame: ReturnType<typeof frameOf>; lines: [number, number][][]; numbers: Text[] } {
  const frame = frameOf(axes, place, 320);
  const lines: [number, number][][] = [];
  const numbers: Text[] = [];
  const context = {
    font: "", textAlign: "left", beginPath: () => lines.push([]), moveTo: (...point: [number, number]) => lines.at(-1)!.push(point), lineTo: (...point: [number, number]) => lines.at(-1)!.push(point),
    fillText(text: string, x: number, foot: number) {
      const wide = LETTER * text.length;
      if (context.font.startsWith("11px")) numbers.push({ text, left: context.textAlign === "right" ? x - wide : x, right: context.textAlign === "right" ? x : x + wide, foot });
    },
    setTransform() {}, setLineDash() {}, stroke() {}, fillRect() {}, strokeRect() {}, strokeText() {}, measureText: (text: string) => ({ width: LETTER * text.length }),
  };
  const canvas = { width: 0, height: 0, getContext: () => context } as unknown as HTMLCanvasElement;
  drawParallel(canvas, { ...frame, trials, direction: "minimize", axes, brushes: {}, labels: axes.map(({ name }) => name), chosen: null, best: 0 }, { getPropertyValue: () => "#888888" });
  return { frame, lines, numbers };
}

describe("the lines of the trials", () => {
  it("meet every axis at their place on it, however wide the page is", () => {
    for (const place of [340, 640, 1090, 2200]) {
      const { frame, lines } = drawn(place);
      const expected = trials.map((one) => placesOf(one, axes).flatMap((at, k) => (at === null ? [] : [pixel(frame, axes.length, k, at)])));
      expect(lines).toHaveLength(trials.length);
      for (const line of expected) expect(lines).toContainEqual(line);
    }
  });

  it("have the numbers of the outer axes outside, and those of the others beside the axis and off their tick", () => {
    for (const place of [340, 640, 1090, 2200]) {
      const { frame, numbers } = drawn(place);
      const ticks = axes.flatMap((axis, k) => axis.ticks.map(({ label, place: at }) => ({ k, label, point: pixel(frame, axes.length, k, at) })));
      expect(numbers.map(({ text }) => text)).toEqual(ticks.map(({ label }) => label));
      numbers.forEach(({ left, right, foot }, i) => {
        const { k, point: [x, y] } = ticks[i]!;
        expect(left).toBeGreaterThanOrEqual(0);
        expect(right).toBeLessThanOrEqual(frame.width);
        expect(k === 0 ? right < x : k === axes.length - 1 ? left > x : right < x || left > x).toBe(true);
        if (k > 0 && k < axes.length - 1) expect(foot < y || foot - 9 > y).toBe(true);
      });
    }
  });

  it("run through a number only where they run on all its sides", () => {
    const from = (y: number): [number, number] => [0, y];
    const to = (y: number): [number, number] => [200, y];
    const at = (...lines: [number, number][][]) => numberPlace(lines, 3, 1, [100, 100], 40);
    expect(at()).toEqual({ x: 108, foot: 96, align: "left" });
    expect(at([from(100), [100, 100], to(60)])).toEqual({ x: 108, foot: 112, align: "left" }); // it goes up to the right
    expect(at([from(100), [100, 100], to(60)], [from(100), [100, 100], to(140)])).toEqual({ x: 92, foot: 96, align: "right" });
  });
});
