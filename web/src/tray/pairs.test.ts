import { describe, expect, it } from "vitest";
import type { Bptt } from "../api/types";
import { drawPairs } from "./drawPairs";
import { entry, factors, lossSteps, moved, pairsOf, scopeOf, strength } from "./pairs";

const answer = {
  times: [1, 2, 3],
  loss_norms: { h: [[4, 0, 0], [2, 1, 0], [0.01, NaN, 0.5]], c: [[1, 0, 0], [0, 3, 0], [0, 0, 0]] },
  jacobian_norms: [[1], [0.5, 1], [0, 0.2, 1]],
} as unknown as Bptt;

describe("pairs of steps", () => {
  it("are those of the losses, of either state, or of the Jacobians", () => {
    const losses = pairsOf(answer, "loss", "h");
    expect([losses.count, losses.largest, losses.smallest]).toEqual([3, 4, 0.01]);
    expect([entry(losses, 2, 1), entry(losses, 1, 2), entry(losses, 9, 1)]).toEqual([2, null, null]);
    expect(pairsOf(answer, "loss", "c").largest).toBe(3);
    expect(pairsOf(answer, "jacobian", "h").norms[2]).toEqual([0, 0.2, 1]);
  });

  it("are products of what each hop multiplies the norm by", () => {
    const losses = pairsOf(answer, "loss", "h");
    expect(factors(losses, 2, 1)).toEqual([1, 2]);
    expect(factors(losses, 3, 3)).toEqual([0.5]);
    expect(factors(losses, 3, 1)).toBeNull(); // over NaN
    const jacobians = pairsOf(answer, "jacobian", "h");
    expect(factors(jacobians, 3, 1)!.reduce((product, x) => product * x, 1)).toBe(0); // down to 0 in the last hop
    expect(factors(jacobians, 1, 2)).toBeNull();
  });

  it("know which steps have a loss", () => {
    expect(lossSteps(answer)).toEqual([1, 2, 3]);
    expect(lossSteps({ times: [1, 2], loss_norms: { h: [[0, 0], [0.1, 0.2]] } } as unknown as Bptt)).toEqual([2]);
    expect(lossSteps({ times: [2, 1], loss_norms: { h: [[0, 0], [0.1, 0.2]] } } as unknown as Bptt)).toEqual([1]); // read backwards
  });

  it("are asked for by the scope of the layer and direction", () => {
    const scope = (suffix: string): string => scopeOf({ cell: "gru", shown: { suffix } } as Parameters<typeof scopeOf>[0]);
    expect(["l0", "l1", "l0_reverse"].map(scope)).toEqual(["gru", "gru/l1", "gru/l0_reverse"]);
  });

  it("are as strong as they are large, on the scale of all, or by their powers of ten", () => {
    const scale = { largest: 1, smallest: 1e-4 };
    expect([strength(scale, 0.25, false), strength(scale, 0, true), strength(scale, 1, true), strength(scale, NaN, false)]).toEqual([0.25, 0, 1, 0]);
    expect(strength(scale, 1e-4, true)).toBeCloseTo(0.08, 12); // the weakest is seen
    expect(strength(scale, 1e-2, true)).toBeCloseTo(0.54, 12);
    expect(strength({ largest: 0, smallest: null }, 0, false)).toBe(0);
  });

  it("are walked through by keys, inside of the triangle", () => {
    expect(moved({ t: 3, s: 3 }, "ArrowUp", 5)).toEqual({ t: 2, s: 2 });
    expect(moved({ t: 3, s: 3 }, "ArrowRight", 5)).toEqual({ t: 3, s: 3 });
    expect(moved({ t: 3, s: 2 }, "ArrowDown", 5)).toEqual({ t: 4, s: 2 });
    expect(moved({ t: 3, s: 2 }, "Home", 5)).toEqual({ t: 3, s: 1 });
    expect(moved({ t: 3, s: 1 }, "End", 5)).toEqual({ t: 3, s: 3 });
    expect(moved({ t: 12, s: 12 }, "PageUp", 50)).toEqual({ t: 2, s: 2 });
    expect(moved({ t: 45, s: 1 }, "PageDown", 50)).toEqual({ t: 50, s: 1 });
    expect(moved({ t: 1, s: 1 }, "ArrowLeft", 5)).toEqual({ t: 1, s: 1 });
    expect(moved({ t: 1, s: 1 }, "x", 5)).toBeNull();
  });

  it("are drawn below the diagonal alone: the larger the darker, zeros apart, what is not finite hatched", () => {
    const rects: { style: string; at: number[] }[] = [];
    let clipped = 0;
    const context = {
      fillStyle: "", strokeStyle: "", lineWidth: 0,
      fillRect(...at: number[]) { rects.push({ style: this.fillStyle, at }); },
      strokeRect() {}, save() {}, restore() {}, beginPath() {}, rect() {}, clip() { clipped++; }, moveTo() {}, lineTo() {}, stroke() {},
    };
    const canvas = { width: 0, height: 0, getContext: () => context } as unknown as HTMLCanvasElement;
    const colours: Record<string, string> = { "--surface": "#FFFFFF", "--grad": "#000000", "--sunken": "sunken", "--mark": "mark" };
    const part = { from: { t: 1, s: 1 }, count: 3, cell: 10, log: false, at: { t: 3, s: 1 } };
    drawPairs(canvas, pairsOf(answer, "loss", "h"), part, { getPropertyValue: (name) => colours[name]! });
    expect([canvas.width, rects.length, clipped]).toEqual([30, 5, 1]);
    expect(rects[0]).toEqual({ style: "rgb(0,0,0)", at: [0, 0, 9, 9] });
    expect(rects[1]!.style).toBe("rgb(128,128,128)");
    drawPairs(canvas, pairsOf(answer, "jacobian", "h"), part, { getPropertyValue: (name) => colours[name]! });
    expect(rects.at(-3)).toEqual({ style: "sunken", at: [0, 20, 9, 9] });
  });
});
