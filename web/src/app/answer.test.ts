import { describe, expect, it } from "vitest";
import { film } from "../model/fixtures";
import { NetworkGrid, slice } from "../model/network";
import { answered, answerOf } from "./answer";

function opened(name: Parameters<typeof film>[0]) {
  const shown = film(name);
  return { shown, grid: NetworkGrid.of(shown.trace)! };
}

describe("what a network answers", () => {
  it("is the most probable class after the last step, known once the loss is", () => {
    const { shown, grid } = opened("rnn-batch");
    grid.examples.forEach(({ length }, example) => {
      const { node, index, kind } = answerOf(shown, grid, example)!;
      const p = Array.from(slice(shown.trace.value(node), example));
      expect([kind, node, index]).toEqual(["value", grid.column(length)!.probe!.p, [example, p.indexOf(Math.max(...p))]]);
      expect(shown.known(node, answered(shown))).toBe(true);
    });
    expect([shown.phaseAt(answered(shown)), shown.known(shown.trace.loss, answered(shown)), shown.known(shown.trace.loss, answered(shown) - 1)]).toEqual(["loss", true, false]);
  });

  it("is that of the step which is most wrong where every step answers", () => {
    const { shown, grid } = opened("lstm");
    expect(grid.readout).toBe("every");
    const { node, index } = answerOf(shown, grid, 0)!;
    const errors = grid.columns.map(({ t, probe }) => {
      const row = Array.from(slice(shown.trace.value((probe!.p ?? probe!.yHat)!), 0));
      const target = (grid.examples[0]!.target as (number | number[])[])[t - 1]!;
      return grid.kind === "classification" ? 1 - row[target as number]! : Math.max(...row.map((value, k) => Math.abs(value - [target].flat()[k]!)));
    });
    const worst = grid.columns[errors.indexOf(Math.max(...errors))]!;
    expect([node, index[0]]).toEqual([worst.probe!.p ?? worst.probe!.yHat, 0]);
  });
});
