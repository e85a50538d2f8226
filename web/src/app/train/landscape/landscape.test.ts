import { describe, expect, it } from "vitest";
import type { Landscape } from "../../../api/landscapes";
import { closer, drawnAs, inPlane, logarithms, mapFigure } from "./map";
import { parametersOf, readIndex } from "./parameters";

describe("parameters", () => {
  it("have the names and shapes of the server's network", () => {
    const found = parametersOf({ cell: "lstm", hidden_size: 3, layers: 2, bidirectional: true }, { input_size: 8, output_size: 10 });
    expect(found.map(({ name, shape }) => `${name} ${shape.join("x")}`)).toEqual([
      "rnn.weight_ih_l0 12x8", "rnn.weight_hh_l0 12x3", "rnn.bias_ih_l0 12", "rnn.bias_hh_l0 12",
      "rnn.weight_ih_l0_reverse 12x8", "rnn.weight_hh_l0_reverse 12x3", "rnn.bias_ih_l0_reverse 12", "rnn.bias_hh_l0_reverse 12",
      "rnn.weight_ih_l1 12x6", "rnn.weight_hh_l1 12x3", "rnn.bias_ih_l1 12", "rnn.bias_hh_l1 12",
      "rnn.weight_ih_l1_reverse 12x6", "rnn.weight_hh_l1_reverse 12x3", "rnn.bias_ih_l1_reverse 12", "rnn.bias_hh_l1_reverse 12",
      "head.weight 10x6", "head.bias 10",
    ]);
    expect(parametersOf({ cell: "gru", hidden_size: 4 }, null).map((one) => one.shape)).toEqual([[12, null], [12, 4], [12], [12], [null, 4], [null]]);
  });

  it("take the indices of their elements, and no others", () => {
    expect(readIndex("3, 0", [4, 2])).toEqual([3, 0]);
    expect(readIndex("3，1", [4, 2])).toEqual([3, 1]);
    expect(readIndex("7", [null])).toEqual([7]);
    for (const text of ["4, 0", "3", "3, 0, 1", "-1, 0", "a, 0", ""]) expect([text, readIndex(text, [4, 2])]).toEqual([text, undefined]);
  });
});

describe("the map", () => {
  const style = { getPropertyValue: (name: string) => ` ${name} ` };
  const landscape: Landscape = {
    schema_version: 1, id: "l_1", status: "done", error: null, done: 4, points: 4, seconds_left: null, directions: { kind: "random", seed: 0, names: ["x", "y"] }, part: "train", examples: 2,
    x: [0, 1], y: [0, 1], loss: [[1, 10], [0, NaN]],
    paths: [{ run: "r_1", steps: [0, 5], x: [0, 1], y: [1, NaN], loss: [2, 0.5], in_plane: 0.25 }],
  };

  it("has gaps where there is no logarithm", () => {
    expect(logarithms(landscape.loss!)).toEqual([[0, 1], [null, null]]);
  });

  it("draws a run's way above a halo, with its last network the largest", () => {
    const { data } = mapFigure(landscape, [drawnAs(1, "B", "#123456")], { loss: "loss", step: "step", x: "x", y: "y" }, style);
    expect(data.map((trace) => trace.type)).toEqual(["contour", "scatter", "scatter"]);
    expect(data[2]).toMatchObject({ name: "B", x: [0, 1], y: [1, null], line: { color: "#123456", dash: "dash" }, marker: { size: [7, 13], symbol: "square" } });
    expect(data[2]).toMatchObject({ hovertext: ["B: step 0<br>loss 2.000", "B: step 5<br>loss 0.5000"], text: ["B: step 0", "B: step 5"] }); // the ends are named
  });

  it("knows how close to go where the ways are small on it", () => {
    const ways = (x: number[]): Landscape => ({ ...landscape, x: [-1, 1], y: [-1, 1], paths: [{ ...landscape.paths![0]!, x, y: [0, 0] }] });
    expect(closer(ways([0.1, 0]))).toBe(0.13);
    expect(closer(ways([0.5, 0]))).toBeNull();
    expect(closer(ways([0, 0]))).toBeNull();
    expect(closer(landscape)).toBeNull();
  });

  it("says how much of a way lies in the plane", () => {
    expect(inPlane({ in_plane: 0.034 })).toEqual({ percent: "3.4", faithful: false });
    expect(inPlane({ in_plane: 0.95 })).toEqual({ percent: "95", faithful: true });
    expect(inPlane({ in_plane: 0.0004 }).percent).toBe("< 0.1");
    expect(inPlane({ in_plane: NaN })).toEqual({ percent: "–", faithful: false });
  });
});
