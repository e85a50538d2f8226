import { describe, expect, it } from "vitest";
import { film } from "./fixtures";
import { ALL, gradientNorm, gradientSlice, hopFactor, NetworkGrid, norm, prediction, shares, shownClasses, slice, stepLabel, tokenText } from "./network";

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

describe("layers and directions", () => {
  const stacked = film("stack");
  const { trace } = stacked;
  const whole = NetworkGrid.of(trace)!;

  it("has a chain a layer and direction, the top one shown", () => {
    expect(whole.chains.map(({ suffix, layer, reverse }) => [suffix, layer, reverse])).toEqual([["l0", 0, false], ["l0_reverse", 0, true], ["l1", 1, false], ["l1_reverse", 1, true]]);
    expect(whole.shown.suffix).toBe("l1");
    for (const chain of whole.chains) {
      const one = whole.showing(chain);
      expect(one.columns.map((column) => column.t)).toEqual(chain.columns.map((_, i) => i + 1));
      expect(one.parameter("weight_hh")!.name).toBe(`rnn.weight_hh_${chain.suffix}`);
      expect(trace.nodes[one.initial.h]!.label).toMatch(/^h_0/);
      for (const column of one.columns) {
        expect(trace.nodes[column.h]!.label).toBe("h");
        expect(whole.chainOf(trace.nodes[column.h]!)).toBe(chain);
        expect(column.x).toBeGreaterThanOrEqual(0);
      }
      expect(whole.showing(chain)).toBe(one);
    }
  });

  it("starts each direction at its own end: a reverse chain from the last step of each example", () => {
    const reverse = whole.showing(whole.chains[1]!);
    const [long, short] = whole.examples.map((example) => example.length) as [number, number];
    expect(long).toBeGreaterThan(short);
    expect(reverse.stateBefore(short, 1)).toBe(reverse.initial);
    expect(reverse.stateBefore(short, 0)).toBe(reverse.column(short + 1));
    expect(reverse.stateBefore(long, 0)).toBe(reverse.initial);
    expect([reverse.begins(long, long), reverse.begins(1, long), whole.begins(1, long)]).toEqual([true, false, true]);
  });

  it("marks symbols with the layer and an arrow, and nothing where there is one of each", () => {
    expect(whole.parameter("weight_hh")!.tex).toBe("\\overrightarrow{W}^{[2]}_{\\mathrm{hh}}");
    expect(whole.showing(whole.chains[3]!).equation("x_{t} h_{t-1}")).toBe("h^{[1]}_{t} h_{t+1}");
    expect(grid.equation("x_{t} h_{t-1}")).toBe("x_{t} h_{t-1}");
  });

  it("compares no norms of a layer that another reads", () => {
    const end = stacked.length;
    expect(hopFactor(stacked, whole.showing(whole.chains[0]!), 2, 0, end)).toBeNull();
    expect(hopFactor(stacked, whole, 2, 0, end)).not.toBeNull();
    const back = whole.showing(whole.chains[3]!);
    expect(hopFactor(stacked, back, 2, 0, end)).toBeCloseTo(gradientNorm(stacked, back, 3, 0, end)! / gradientNorm(stacked, back, 2, 0, end)!, 14);
  });
});

describe("the mean of a batch", () => {
  const batch = film("rnn-batch");
  const all = NetworkGrid.of(batch.trace)!;

  it("is the mean of values, and the sum of recorded gradients", () => {
    const { h } = all.column(1)!;
    const [value, gradient] = [batch.trace.value(h), batch.trace.gradient(h)!];
    const rows = value.shape[0]!;
    const sum = (tensor: typeof value, j: number): number => Array.from({ length: rows }, (_, b) => tensor.at([b, j])).reduce((one, other) => one + other, 0);
    for (let j = 0; j < all.hidden; j++) {
      expect(slice(value, ALL)[j]).toBeCloseTo(sum(value, j) / rows, 15);
      expect(gradientSlice(gradient, ALL)[j]).toBeCloseTo(sum(gradient, j), 15);
    }
    expect(gradientNorm(batch, all, 1, ALL, batch.length)).toBeCloseTo(norm(gradientSlice(gradient, ALL)), 15);
    expect(hopFactor(batch, all, 2, ALL, batch.length)).toBeNull(); // some examples end on the way
  });
});

describe("the name of a step", () => {
  it("is its year in a series of years, and nothing elsewhere", () => {
    const { trace } = film("lstm");
    const years = { ...trace.batch!.examples[0]!, text: "1700\u20131719", length: 20 };
    const named = Object.create(trace, { batch: { value: { ...trace.batch!, display: "series", examples: [years] } } }) as typeof trace;
    expect([stepLabel(named, 0, 1), stepLabel(named, 0, 20)]).toEqual(["1700", "1719"]);
    expect(stepLabel(trace, 0, 1)).toBe("");
    expect(stepLabel(shown.trace, 0, 1)).toBe("");
  });
});
