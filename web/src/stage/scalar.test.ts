import { describe, expect, it } from "vitest";
import { explain } from "../model/explain";
import { film } from "../model/fixtures";
import { NetworkGrid } from "../model/network";
import { elementOf, hasColumn, partsOf, rowOf, short } from "./scalar";

describe("the scalar level", () => {
  const shown = film("gru");
  const grid = NetworkGrid.of(shown.trace)!;
  const column = grid.column(2)!;

  it("shows the unit and the part that are selected, at the step that is looked at", () => {
    const z = grid.column(1)!.gates.get("z")!;
    expect(elementOf(shown.trace, grid, column, { kind: "value", node: z, index: [0, 1] })).toEqual({ part: "z", unit: 1, node: column.gates.get("z") });
    expect(elementOf(shown.trace, grid, column, { kind: "gradient", node: column.h, index: [0, 1] })).toEqual({ part: "h", unit: 1, node: column.h });
    expect(elementOf(shown.trace, grid, column, null)).toEqual({ part: "h", unit: 0, node: column.h });
    const weight = grid.parameter("weight_hh")!.node;
    expect(elementOf(shown.trace, grid, column, { kind: "gradient", node: weight, index: [3, 1] }).unit).toBe(0);
  });

  it("knows the row of W that makes a gate, and that h of a gated cell has none", () => {
    expect(partsOf("gru")).toEqual(["r", "z", "n", "h"]);
    expect(["r", "z", "n", "h"].map((part) => rowOf(grid, { part, unit: 1, node: 0 }))).toEqual([1, 3, 5, null]);
    expect([hasColumn({ part: "h", unit: 0, node: 0 }), hasColumn({ part: "z", unit: 0, node: 0 })]).toEqual([true, false]);
  });

  it("lists the three greatest terms, and the others together: the sum stays", () => {
    const rnn = film("rnn");
    const h = NetworkGrid.of(rnn.trace)!.column(3)!.h;
    const whole = explain(rnn, { kind: "value", node: h, index: [0, 1] }, rnn.length, 0);
    const cut = short(whole);
    expect(whole.rows.length).toBeGreaterThan(4);
    expect(cut.rows).toHaveLength(3);
    expect(cut.others!.count).toBe(whole.rows.length - 3);
    expect(cut.rows.reduce((sum, row) => sum + row.value, cut.others!.value)).toBeCloseTo(whole.sum!, 14);
    const least = Math.min(...cut.rows.map((row) => Math.abs(row.value)));
    for (const row of whole.rows) if (!cut.rows.includes(row)) expect(Math.abs(row.value)).toBeLessThanOrEqual(least);
  });
});
