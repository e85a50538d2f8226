import { describe, expect, it } from "vitest";
import { film } from "../model/fixtures";
import { NetworkGrid } from "../model/network";
import { firstShown, placeIn } from "./openWindow";

describe("what an opened cell shows of many units", () => {
  it("is about the number that is explained, and stays while that is in it", () => {
    expect([0, 7].map((wanted) => firstShown(0, 8, 16, wanted))).toEqual([0, 0]);
    expect([8, 11, 15].map((wanted) => firstShown(0, 8, 16, wanted))).toEqual([4, 7, 8]);
    expect([firstShown(7, 8, 16, null), firstShown(7, 8, 16, 9), firstShown(7, 8, 16, 2), firstShown(7, 8, 8, null), firstShown(7, 4, 4, 3)]).toEqual([7, 7, 0, 0, 0]);
  });

  it("knows row and column of a weight, and the unit of a state or a gate", () => {
    for (const name of ["wide", "rnn", "lstm", "gru"] as const) {
      const { trace } = film(name);
      const grid = NetworkGrid.of(trace)!;
      const H = grid.hidden;
      const at = (node: number, index: number[]) => Object.values(placeIn(trace, grid, { kind: "gradient", node, index }));
      const weight = grid.parameter("weight_hh")!.node;
      const rows = trace.nodes[weight]!.shape[0]!;
      expect(at(weight, [rows - 1, H - 1])).toEqual([H - 1, H - 1]);
      expect(at(grid.parameter("bias_ih")!.node, [rows - 2])).toEqual([H - 2, null]);
      expect(at(grid.column(2)!.h, [0, H - 1])).toEqual([H - 1, H - 1]);
      for (const gate of grid.column(1)!.gates.values()) expect(at(gate, [0, 1])).toEqual([1, null]);
      expect(at(trace.loss, [])).toEqual([null, null]);
      expect(Object.values(placeIn(trace, grid, null))).toEqual([null, null]);
    }
  });
});
