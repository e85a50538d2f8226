import { describe, expect, it } from "vitest";
import { film } from "./fixtures";
import { gradientNorm, hopFactor, NetworkGrid, norm, prediction, shares, shownClasses, tokenText } from "./network";

const shown = film("rnn");
const grid = NetworkGrid.of(shown.trace)!;
const end = shown.length;

describe("NetworkGrid", () => {
  it("finds one column a step with its named parts", () => {
    expect(grid.columns.map((column) => column.t)).toEqual([1, 2, 3, 4, 5]);
    expect(grid.hidden).toBe(4);
    expect(grid.parameters.map((parameter) => parameter.tex)).toContain("W_{\\mathrm{hh}}");
    for (const column of grid.columns) {
      expect(shown.trace.nodes[column.h]!.label).toBe("h");
      expect(shown.trace.nodes[column.a!]!.label).toBe("a");
      expect(column.probe!.p).not.toBeNull();
      expect(column.c).toBeNull();
    }
    expect(shown.trace.nodes[grid.initial.h]!.label).toBe("h_0");
    expect(grid.head.logits).not.toBeNull();
  });

  it("finds gates and cell states", () => {
    const lstm = NetworkGrid.of(film("lstm").trace)!;
    expect([...lstm.columns[0]!.gates.keys()]).toEqual(["i", "f", "g", "o"]);
    expect(lstm.columns[0]!.c).not.toBeNull();
    expect(lstm.initial.c).not.toBeNull();
    expect(lstm.head.yHat).not.toBeNull();
    expect([...NetworkGrid.of(film("gru").trace)!.columns[0]!.gates.keys()]).toEqual(["r", "z", "n"]);
  });

  it("has fewer rows where sequences have ended", () => {
    const batch = NetworkGrid.of(film("rnn-batch").trace)!;
    expect(batch.columns.map((column) => column.rows)).toEqual(batch.columns.map(({ t }) => batch.examples.filter((one) => one.length >= t).length));
  });

  it("is null for an expression", () => {
    expect(NetworkGrid.of(film("scalar").trace)).toBeNull();
  });
});

describe("what the stage shows", () => {
  it("gradient norms and hop factors, once they are there", () => {
    expect(gradientNorm(shown, grid, 5, 0, 0)).toBeNull();
    const h = grid.column(4)!.h;
    expect(gradientNorm(shown, grid, 4, 0, end)).toBeCloseTo(norm(shown.trace.gradient(h)!.data), 15);
    expect(hopFactor(shown, grid, 5, 0, end)).toBeCloseTo(gradientNorm(shown, grid, 4, 0, end)! / gradientNorm(shown, grid, 5, 0, end)!, 15);
    expect(hopFactor(shown, grid, 1, 0, end)).toBeNull();
    expect(hopFactor(shown, grid, 5, 0, shown.phases[0]!.to)).toBeNull();
    const every = film("lstm"); // each step has a loss, so that no norm comes from the step after it alone
    expect(hopFactor(every, NetworkGrid.of(every.trace)!, 3, 0, every.length)).toBeNull();
  });

  it("shares that add up along the sum; the first is exactly zero", () => {
    const weight = grid.parameter("weight_hh_l0")!.node;
    const list = shares(shown, weight, end);
    expect(list.map((share) => share.t)).toEqual([5, 4, 3, 2, 1]);
    expect(Array.from(list.at(-1)!.tensor.data).every((x) => x === 0)).toBe(true);
    expect(list.reduce((sum, share) => sum + share.along, 0)).toBeCloseTo(norm(shown.trace.gradient(weight)!.data), 12);
    expect(list.every((share) => share.arrived)).toBe(true);
    expect(shares(shown, weight, 0).some((share) => share.arrived)).toBe(false);
  });

  it("letters and predictions", () => {
    expect(tokenText(shown.trace, 0, 3)).toBe("o");
    expect(tokenText(shown.trace, 0, 9)).toBe("");
    expect(shownClasses(shown, grid, 0)).toEqual([0, 1, 2]);
    expect(prediction(shown, grid, 1, 0, 0)).toBeNull();
    const made = prediction(shown, grid, 5, 0, end) as { p: number[] };
    expect(made.p.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    const waves = film("lstm");
    expect(prediction(waves, NetworkGrid.of(waves.trace)!, 1, 0, waves.length)).toHaveProperty("yHat");
  });
});
