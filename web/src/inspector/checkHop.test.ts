import { describe, expect, it } from "vitest";
import { film } from "../model/fixtures";
import { NetworkGrid } from "../model/network";
import { hopTarget } from "../stage/targets";
import { hopCost, MOST } from "./checkHop";

describe("how many differences a hop takes", () => {
  it.each(["rnn", "gru", "lstm", "wide"] as const)("is two an element and more where the gradient has parts (%s)", (name) => {
    const shown = film(name);
    const grid = NetworkGrid.of(shown.trace)!;
    const cost = hopCost({ film: shown, grid, example: 0 }, hopTarget(grid.column(1)!, "h", 0))!;
    expect(cost % grid.hidden).toBe(0);
    expect(cost).toBeGreaterThanOrEqual(2 * grid.hidden);
    expect(cost <= MOST).toBe(true);
  });

  it("is none for a number that is no hop, nor for the mean of several examples", () => {
    const shown = film("rnn");
    const grid = NetworkGrid.of(shown.trace)!;
    expect(hopCost({ film: shown, grid, example: -1 }, hopTarget(grid.column(2)!, "h", 0))).toBeNull();
    expect(hopCost({ film: shown, grid, example: 0 }, { kind: "gradient", node: grid.loss, index: [] })).toBeNull();
  });
});
