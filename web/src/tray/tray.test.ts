import { describe, expect, it } from "vitest";
import type { Film } from "../model/film";
import { film } from "../model/fixtures";
import { NetworkGrid, norm, shares } from "../model/network";
import { Tensor } from "../model/trace";
import { clipArrow } from "./clipping";
import { logPlace, logScale } from "./logScale";
import { BLOCK_HEIGHT, blockLayout, change, changeScale, columnsShown, farthest, namesColumns, pickColumns } from "./parameters";
import { barsPath, itemise, shareGrid, unitOf } from "./shares";

const shown = film("rnn");
const grid = NetworkGrid.of(shown.trace)!;
const weight = grid.parameter("weight_hh_l0")!.node;
const whole = shown.trace.gradient(weight)!;
const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

describe("the shares of a gradient", () => {
  it("stand one in each column; what longer sequences of the batch add, in one column more: all of them add up", () => {
    const batch = film("rnn-batch");
    const hidden = NetworkGrid.of(batch.trace)!;
    const node = hidden.parameter("weight_hh_l0")!.node;
    const all = shares(batch, node, batch.length);
    expect(itemise(all, 5).map((item) => item.column).sort()).toEqual([1, 2, 3, 4, 5]);
    const short = itemise(all, 3);
    expect(short.map((item) => [item.column, item.steps]).sort()).toEqual([[1, { from: 1, to: 1 }], [2, { from: 2, to: 2 }], [3, { from: 3, to: 3 }], [4, { from: 4, to: 5 }]]);
    const gradient = batch.trace.gradient(node)!;
    expect(sum(short.map((item) => item.along))).toBeCloseTo(norm(gradient.data), 12);
    gradient.data.forEach((value, i) => expect(sum(short.map((item) => item.tensor.flat(i)))).toBeCloseTo(value, 12));
    const first = all.find((share) => share.t === 5)!;
    const begun = itemise(all.map((share) => ({ ...share, arrived: share === first })), 3).find((item) => item.column === 4)!;
    expect([begun.arrived, begun.along, begun.steps]).toEqual([true, first.along, { from: 4, to: 5 }]);
  });

  it("row by row along the sum add up to its norm, where elements cannot be read", () => {
    const inputs = grid.parameter("weight_ih_l0")!.node;
    const all = shown.trace.gradient(inputs)!;
    const grids = shares(shown, inputs, shown.length).map((share) => shareGrid(share.tensor, all));
    expect(grids.every((one) => one.mode === "rows")).toBe(true);
    expect(sum(grids.map((one) => sum(one.cells)))).toBeCloseTo(norm(all.data), 10);
  });

  it("take rows together where there are too many, without losing any", () => {
    const tensor = new Tensor([96, 32], Float64Array.from({ length: 96 * 32 }, (_, i) => Math.sin(i)));
    const one = shareGrid(tensor, tensor);
    expect([one.rows, one.each, one.cells.length]).toEqual([32, 3, 32]);
    expect(sum(one.cells)).toBeCloseTo(norm(tensor.data), 10);
  });

  it("stand on one scale with their sum: the largest of all just fits", () => {
    const grids = shares(shown, weight, shown.length).map((share) => shareGrid(share.tensor, whole));
    const all = shareGrid(whole, whole);
    const unit = unitOf(grids, all, 29, 39);
    const most = (list: typeof grids): number => Math.max(...list.flatMap((one) => [...one.cells].map(Math.abs)));
    expect(most(grids) * unit).toBeLessThanOrEqual(13.0001);
    expect(most([all]) * unit).toBeLessThanOrEqual(18.0001);
    expect(Math.max(most(grids) * unit - 13, most([all]) * unit - 18)).toBeCloseTo(0, 9);
  });

  it("are drawn from the middle of their cell to the side of their sign", () => {
    const one = { mode: "elements" as const, rows: 1, columns: 2, cells: Float64Array.of(-1, 0.5), each: 1 };
    expect(barsPath(one, 20, 20, 8)).toBe("M2.00 5.50h8.00v9h-8.00zM30.00 5.50h4.00v9h-4.00z");
    expect(barsPath(one, 20, 20, 0.1)).toBe("");
  });
});

describe("the logarithmic strip", () => {
  it("spans whole powers of ten around what is positive", () => {
    expect(logScale([0.129, 1.967, 0])).toEqual({ low: -1, high: 1 });
    expect(logScale([0, NaN])).toBeNull();
    expect(logScale([1])).toEqual({ low: -1, high: 0 });
    expect(logScale([1e-30, 1])).toEqual({ low: -12, high: 0 });
    expect([logPlace({ low: -2, high: 0 }, 0.1), logPlace({ low: -2, high: 0 }, 1e-9), logPlace({ low: -2, high: 0 }, 5)]).toEqual([0.5, 0, 1]);
  });
});

describe("the parameters", () => {
  it("have digits when small, tiles when middling, a texture when large, and keep to the tray's height", () => {
    expect([[4, 4], [4], [11, 4], [4, 26], [4, 56], [48, 30], [64, 16]].map((shape) => blockLayout(shape).manner)).toEqual([
      "digits", "digits", "tiles", "tiles", "texture", "texture", "texture",
    ]);
    for (const shape of [[4, 4], [16, 4], [512, 128], [1], [3]]) {
      const layout = blockLayout(shape);
      expect(layout.rows * layout.row).toBeLessThanOrEqual(BLOCK_HEIGHT + 0.001);
      if (layout.manner !== "texture") expect(layout.tile + layout.lane + 2).toBeLessThanOrEqual(layout.row);
    }
    expect(namesColumns(blockLayout([4, 26]), [..."abcdefghijklmnopqrstuvwxyz"])).toBe(true);
    expect(namesColumns(blockLayout([4, 2]), ["value", "marker"])).toBe(false);
  });

  it("show how far they moved, from their update on, on a scale that holds all of it", () => {
    const { event } = shown.update(weight)!;
    expect(change(shown, weight, event)).toBeNull();
    const delta = change(shown, weight, event + 1)!;
    const [before, after] = [shown.trace.value(weight), shown.value(weight, event + 1)!];
    delta.data.forEach((d, i) => expect(d).toBeCloseTo(after.flat(i) - before.flat(i), 12));
    const nodes = grid.parameters.map((parameter) => parameter.node);
    const scale = changeScale(shown, nodes, 0);
    for (const node of nodes) for (const d of change(shown, node, shown.length)!.data) expect(Math.abs(d)).toBeLessThanOrEqual(scale);
    expect(changeScale(shown, nodes, 1e6)).toBe(1e6);
  });

  it("name the element of each row that moved farthest", () => {
    const delta = new Tensor([2, 3], Float64Array.of(1, -5, 2, 0, 0, 0.5));
    expect(farthest(delta, 2)).toEqual([1, 5]);
    expect(farthest(delta, 2, [1])).toEqual([2, 5]);
    expect([...pickColumns(delta, [2, 0]).data]).toEqual([2, 1, 0.5, 0]);
  });

  it("show of more letters than can be named those that occur", () => {
    const letters = Array.from({ length: 56 }, (_, k) => String.fromCharCode(97 + k));
    expect(columnsShown([4, 56], letters, new Set([30, 2]))).toEqual([2, 30]);
    expect(columnsShown([4, 26], letters.slice(0, 26), new Set([2]))).toBeNull();
    expect(columnsShown([4, 56], null, new Set([2]))).toBeNull();
    expect(columnsShown([4, 56], letters, new Set())).toBeNull();
  });
});

describe("clipping a gradient that is not finite", () => {
  /** The film of the fixture as though its clipped gradients, or all of them, were others. */
  function clippedFilm(change: (term: string, value: number, first: boolean) => number): Film {
    const one = film("rnn");
    let begun = false;
    for (const parameter of grid.parameters) {
      const { terms } = one.update(parameter.node)!;
      for (const name of ["gradient", "clipped"]) {
        const tensor = terms.get(name)!;
        terms.set(name, new Tensor(tensor.shape, Float64Array.from({ length: tensor.size }, (_, i) => change(name, tensor.flat(i), !begun && i === 0))));
      }
      begun = true;
    }
    return one;
  }

  it("says no cosine where nothing is left, and draws no element that is no number", () => {
    expect(clipArrow(clippedFilm((name, value) => (name === "clipped" ? 0 : value)), grid.parameters)!.cosine).toBeNull();
    expect(clipArrow(clippedFilm(() => NaN), grid.parameters)).toBeNull();
    const one = clipArrow(clippedFilm((_, value, first) => (first ? NaN : value)), grid.parameters)!;
    expect([one.cosine, one.before.every(Number.isFinite)]).toEqual([null, true]);
    const large = clipArrow(clippedFilm((name, value) => (name === "gradient" ? value * 1e300 : value)), grid.parameters)!;
    expect(Number.isFinite(large.normBefore)).toBe(true);
    expect(large.cosine).toBeCloseTo(1, 9);
  });
});
