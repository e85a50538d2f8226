import { describe, expect, it } from "vitest";
import { film } from "../model/fixtures";
import { classesEach, classTarget, NetworkGrid, slice } from "../model/network";
import { classRows, probability, targetsAt } from "./predictions";

describe("a prediction box", () => {
  it("shows at most four classes, the target among them, the same ones in every column, and marks the best of all", () => {
    const shown = film("rnn");
    const grid = NetworkGrid.of(shown.trace)!;
    const boxes = grid.columns.map((column) => classRows(shown, grid, 0, slice(shown.trace.value(column.probe!.p!), 0), column.t));
    for (const rows of boxes) {
      expect(rows.map((row) => row.index)).toEqual(boxes[0]!.map((row) => row.index));
      expect(rows.filter((row) => row.target).map((row) => row.index)).toEqual([grid.examples[0]!.target]);
      expect(rows.length).toBeLessThanOrEqual(4);
    }
    const last = slice(shown.trace.value(grid.columns.at(-1)!.probe!.p!), 0);
    expect(boxes.at(-1)!.find((row) => row.best)!.p).toBe(Math.max(...last));
  });

  it("finds the targets under a loss, one list a step or one for all", () => {
    const { batch } = NetworkGrid.of(film("lstm").trace)!;
    const of = (readout: "last" | "every", target: unknown): NetworkGrid => ({ readout, examples: [{ ...batch.examples[0]!, target }] }) as unknown as NetworkGrid;
    expect(targetsAt(of("every", [[0.1], [0.2], [0.3]]), 0, 2, 1)).toEqual([0.2]);
    expect(targetsAt(of("every", [0.1, 0.2, 0.3]), 0, 3, 1)).toEqual([0.3]);
    expect(targetsAt(of("last", [1.5]), 0, 12, 1)).toEqual([1.5]);
  });

  it("writes probabilities without the nought", () => {
    expect([probability(0.456), probability(0.001), probability(1), probability(NaN)]).toEqual([".46", ".00", "1.00", "NaN"]);
  });
});

describe("a class at every step", () => {
  const grid = { kind: "classification", readout: "every", examples: [{ target: [4, 2, 7], length: 3 }] } as unknown as NetworkGrid;

  it("has a target of its own", () => {
    expect([1, 2, 3].map((t) => classTarget(grid, 0, t))).toEqual([4, 2, 7]);
    expect(classTarget(grid, 0, 4)).toBeNull();
    expect(targetsAt(grid, 0, 2, 1)).toEqual([2]);
    expect(classesEach(grid)).toBe(true);
  });

  it("is the same one at each step where only the end is judged", () => {
    const last = { kind: "classification", readout: "last", examples: [{ target: 4, length: 3 }] } as unknown as NetworkGrid;
    expect([classTarget(last, 0, 1), classTarget(last, 0, 3), classTarget(last, 1, 1)]).toEqual([4, 4, null]);
    expect(classesEach(last)).toBe(false);
  });
});
