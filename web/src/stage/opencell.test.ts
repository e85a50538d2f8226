import { describe, expect, it } from "vitest";
import { film } from "../model/fixtures";
import { NetworkGrid, slice } from "../model/network";
import { openCell, openLayout, openPlace, openRoom, openX, outside, type OpenDiagram } from "./opencell";

function opened(name: "rnn" | "gru" | "lstm", t: number) {
  const shown = film(name);
  const grid = NetworkGrid.of(shown.trace)!;
  const column = grid.column(t)!;
  const layout = openLayout(grid.cell, grid.hidden);
  const diagram = openCell(shown.trace, grid, column, layout);
  const values = (key: string): number[] => {
    const vector = diagram.vectors.find((one) => one.key === key)!;
    const tensor = shown.trace.value(vector.node);
    return Array.from(vector.parameter ? tensor.data : slice(tensor, 0));
  };
  return { shown, grid, column, layout, diagram, values };
}

const close = (one: number[], other: number[]): void => one.forEach((value, i) => expect(value).toBeCloseTo(other[i]!, 12));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

function inside(diagram: OpenDiagram, width: number): void {
  const places = diagram.vectors.map(({ x, width: w }) => [x, x + w]);
  places.forEach(([from, to], i) => {
    expect(from!).toBeGreaterThanOrEqual(i === 0 ? 0 : places[i - 1]![1]!);
    expect(to!).toBeLessThanOrEqual(width);
  });
}

describe("the opened RNN cell", () => {
  const { values, diagram, layout, grid } = opened("rnn", 3);

  it("reads from left to right: W h + W x + b + b = a, tanh a = h", () => {
    expect(diagram.vectors.map((vector) => vector.key)).toEqual(["Wh", "Wx", "b_ih", "b_hh", "a", "h"]);
    close(values("a"), values("Wh").map((v, i) => v + values("Wx")[i]! + values("b_ih")[i]! + values("b_hh")[i]!));
    close(values("h"), values("a").map(Math.tanh));
    expect(diagram.matrix!.node).toBe(grid.parameter("weight_hh_l0")!.node);
    expect(diagram.matrix!.before).toBe(grid.column(2)!.h);
    inside(diagram, layout.width);
  });

  it("has its equations, and says where columns of W are left out", () => {
    expect(diagram.blocks[0]!.tex).toEqual(["a_{3} = W_{\\mathrm{hh}} h_{2} + W_{\\mathrm{ih}} x_{3} + b_{\\mathrm{ih}} + b_{\\mathrm{hh}}", "h_{3} = \\tanh(a_{3})"]);
    expect(diagram.signs[0]!.text).toBe("=");
    const { trace } = film("rnn");
    const cut = openCell(trace, grid, grid.column(1)!, { ...layout, rows: grid.hidden - 1 });
    expect(cut.signs[0]!.text).toBe("\u2026 =");
  });

  it("begins at the initial state", () => {
    expect(opened("rnn", 1).diagram.matrix!.before).toBe(grid.initial.h);
  });
});

describe("the opened GRU cell", () => {
  const { values, diagram, layout } = opened("gru", 2);

  it("shows what enters each gate, the gates and the candidate, and the state", () => {
    expect(diagram.blocks).toHaveLength(4);
    for (const gate of ["r", "z"]) close(values(gate), values(`${gate}:x`).map((v, i) => sigmoid(v + values(`${gate}:h`)[i]!)));
    close(values("n"), values("n:x").map((v, i) => Math.tanh(v + values("n:h")[i]!)));
    close(values("h"), values("n").map((n, i) => (1 - values("z")[i]!) * n + values("z")[i]! * values("h_before")[i]!));
    inside(diagram, layout.width);
  });
});

describe("the opened LSTM cell", () => {
  const { values, diagram, layout } = opened("lstm", 2);

  it("shows the four gates, the cell state and the state", () => {
    expect(diagram.blocks).toHaveLength(5);
    expect(diagram.shared!.tex).toBe("a_k = W_{ik} x_{2} + b_{ik} + W_{hk} h_{1} + b_{hk}\\quad (k = i, f, g, o)");
    for (const gate of ["i", "f", "o"]) close(values(gate), values(`${gate}:a`).map(sigmoid));
    close(values("g"), values("g:a").map(Math.tanh));
    close(values("c"), values("f").map((f, i) => f * values("c_before")[i]! + values("i")[i]! * values("g")[i]!));
    close(values("h"), values("o").map((o, i) => o * Math.tanh(values("c")[i]!)));
    inside(diagram, layout.width);
  });
});

describe("the columns of a gate", () => {
  it("names the bias in what enters a gate, as it is in the number", () => {
    const labels = opened("gru", 2).diagram.vectors.filter((vector) => vector.key.includes(":")).map((vector) => vector.tex);
    expect(labels.every((tex) => tex.includes("b"))).toBe(true);
  });
});

describe("where an opened card stands", () => {
  const layout = openLayout("rnn", 4);

  it("stays under the pointer and wholly in view where it fits", () => {
    for (const pointer of [0, 176, 440, 736, 880]) {
      const middle = openPlace(layout, 880, pointer);
      expect(middle - layout.width / 2).toBeGreaterThanOrEqual(0);
      expect(middle + layout.width / 2).toBeLessThanOrEqual(880);
      if (pointer > 30 && pointer < 850) expect(Math.abs(middle - pointer)).toBeLessThan(layout.width / 2);
    }
    expect(openPlace(layout, 390, 100) - layout.width / 2).toBe(16); // wider than the stage: its beginning is in view
  });

  it("can be reached by scrolling, for the first card too", () => {
    const room = openRoom(layout, 880);
    expect(openX(layout, room, 1) - openPlace(layout, 880, 880)).toBeGreaterThanOrEqual(0);
  });
});

it("says how much of an opened card hangs out of the stage", () => {
  const layout = { width: 900, pitch: 936 };
  const scroll = openX(layout, openRoom(layout, 700), 2) - openPlace(layout, 700, 350);
  expect(outside(layout, 700, 2, scroll)).toEqual({ left: 0, right: 216 });
  expect(outside(layout, 700, 2, scroll + 216)).toEqual({ left: 200, right: 0 });
  const narrow = { width: 400, pitch: 436 };
  expect(outside(narrow, 700, 1, openX(narrow, openRoom(narrow, 700), 1) - openPlace(narrow, 700, 350))).toEqual({ left: 0, right: 0 });
});
