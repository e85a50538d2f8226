// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { film } from "../model/fixtures";
import { NetworkGrid, norm } from "../model/network";
import { clipArrow } from "./clipping";
import { barsOf, decadesOf, largestOf, linearHistogram, magnitudeHistogram, placeOf } from "./histogram";
import { placer, rateOf, stepsOf, updateRatio } from "./steps";
import { runProgram, wantedSteps } from "./trainHere";
import { cutsOf } from "../model/truncation";

const shown = film("rnn");
const grid = NetworkGrid.of(shown.trace)!;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

describe("a histogram", () => {
  it("has every finite number in one bin, and counts exact zeros and what is not finite", () => {
    const numbers = [-1, -0.5, 0, 0, 0.25, 1, NaN, Infinity];
    const values = linearHistogram(numbers, 1);
    expect([values.size, values.zeros, values.nonfinite, sum(values.counts)]).toEqual([8, 2, 2, 6]);
    expect([values.low, values.high, values.median]).toEqual([-1, 1, 0]);
    expect([values.counts[0], values.counts.at(-1)]).toEqual([1, 1]);
    const sizes = magnitudeHistogram(numbers, { low: -1, high: 1 });
    expect([sizes.zeros, sizes.nonfinite, sum(sizes.counts)]).toEqual([2, 2, 4]); // no magnitude: not in a bin
    expect([sizes.low, sizes.high, sizes.median]).toEqual([0.25, 1, 0.75]);
  });

  it("puts magnitudes into quarters of a decade, the smallest that do not fit into the first", () => {
    const sizes = magnitudeHistogram([1e-9, -0.01, 0.02, 0.5, 0.99], { low: -2, high: 0 });
    expect(sizes.counts).toEqual([2, 1, 0, 0, 0, 0, 1, 1]);
    expect(sizes.edges[0]).toBeCloseTo(0.01, 15);
    expect(sizes.edges.at(-1)).toBe(1);
  });

  it("is drawn on an axis that holds all lists", () => {
    expect(decadesOf([[0.02, 0, NaN], [-3]])).toEqual({ low: -2, high: 1 });
    expect(decadesOf([[0, Infinity]])).toBeNull();
    expect(decadesOf([[1e-40, 1]])).toEqual({ low: -23, high: 1 });
    expect(largestOf([[0.5, -2], [NaN]])).toBe(2);
    const { edges, log } = magnitudeHistogram([], { low: -2, high: 0 });
    expect([placeOf({ edges, log }, 0.1), placeOf({ edges, log }, 10), placeOf({ edges: [-1, 1], log: false }, 0.5)]).toEqual([0.5, null, 0.75]);
    expect(barsOf({ ...linearHistogram([], 1), counts: [0, 2, 4] }, 30, 20, 4)).toBe("M10.50 20v-10.00h9.00v10.00zM20.50 20v-20.00h9.00v20.00z");
    expect(barsOf({ ...linearHistogram([], 1), counts: [1] }, 10, 20, 1000)).toContain("v-1.00"); // what is there is seen
  });

  it("of a parameter's gradient counts all of its elements", () => {
    for (const { node } of grid.parameters) {
      const gradient = shown.trace.gradient(node)!;
      const made = magnitudeHistogram(gradient.data, decadesOf([gradient.data])!);
      expect(sum(made.counts) + made.zeros + made.nonfinite).toBe(gradient.size);
      expect(made.zeros).toBe([...gradient.data].filter((g) => g === 0).length);
    }
  });
});

describe("clipping", () => {
  it("makes the gradient of all parameters shorter and does not turn it", () => {
    const arrow = clipArrow(shown, grid.parameters)!;
    expect(arrow.normBefore).toBeCloseTo(shown.clip!.norm, 10);
    expect(arrow.normAfter).toBeCloseTo(Math.min(shown.clip!.norm, shown.clip!.maxNorm), 5);
    expect(arrow.cosine).toBeCloseTo(1, 12);
    const all = grid.parameters.flatMap(({ node }) => [...shown.trace.gradient(node)!.data].map(Math.abs)).sort((a, b) => b - a);
    expect(arrow.before.map(Math.abs)).toEqual([all[0], all.find((size) => size < all[0]! * (1 - 1e-9))]);
    arrow.after.forEach((x, k) => expect(x / arrow.before[k]!).toBeCloseTo(shown.clip!.coefficient, 12));
    arrow.axes.forEach(({ node, index }, k) => expect(shown.trace.gradient(node)!.at(index)).toBe(arrow.before[k]));
  });
});

describe("the steps of an update", () => {
  const steps = stepsOf(shown, grid.parameters)!;

  it("are one for each number, with what the optimizer saw and did", () => {
    expect(steps.all).toHaveLength(sum(grid.parameters.map(({ node }) => shown.trace.value(node).size)));
    for (const { parameter, index, gradient, step, decay } of steps.all) {
      const { terms } = shown.update(parameter.node)!;
      expect(gradient).toBe(terms.get("clipped")!.at(index));
      expect(step + decay).toBeCloseTo(terms.get("delta")!.at(index), 12);
    }
  });

  it("were done with the rate of the step, whatever the optimizer was given", () => {
    const rate = (name: Parameters<typeof film>[0]): number => rateOf(film(name), NetworkGrid.of(film(name).trace)!.parameters);
    expect([rate("rnn"), rate("nesterov")]).toEqual([0.01, 0.1]);
    expect(rate("adagrad")).toBeCloseTo(0.01 / 1.2, 14);
  });

  it("say which numbers have no gradient: letters that are not in the name", () => {
    const zeros = grid.parameters.flatMap(({ node }) => [...shown.trace.gradient(node)!.data]).filter((g) => g === 0).length;
    expect(steps.without).toHaveLength(zeros);
    expect(zeros).toBeGreaterThan(0);
    for (const { gradient, step, decay } of steps.decayOnly) expect([gradient, step, decay !== 0]).toEqual([0, 0, true]);
  });

  it("have places of their own for exact zeros, and none for what is not finite", () => {
    const place = placer({ low: -2, high: 0 }, { low: -3, high: -1 }, 116, 66, 16);
    expect(place({ gradient: 0, step: 0 })).toEqual({ x: 8, y: 58 });
    expect(place({ gradient: -0.1, step: 0.01 })).toEqual({ x: 66, y: 25 });
    expect(place({ gradient: NaN, step: 1 })).toBeNull();
  });

  it("are compared with the parameter from its update on", () => {
    const { node } = grid.parameters[0]!;
    const { event, terms } = shown.update(node)!;
    expect(updateRatio(shown, node, event)).toBeNull();
    expect(updateRatio(shown, node, event + 1)).toBeCloseTo(norm(terms.get("delta")!.data) / norm(terms.get("old")!.data), 14);
  });
});

describe("a film's own training", () => {
  it("is the film's program without its step, where a run can have it", () => {
    const program = shown.trace.program;
    if (program.kind !== "network") throw new Error("the fixture is a network");
    const own = runProgram(program)!;
    expect(own).not.toHaveProperty("step");
    expect(own).not.toHaveProperty("kind");
    expect(own).toMatchObject({ cell: program.cell, seed: program.seed, task: program.task });
    expect(runProgram({ ...program, start: { checkpoint: "adding-50-gru" } } as typeof program)).toBeNull();
    expect([wantedSteps({ ...program, step: 3 }), wantedSteps({ ...program, step: 300 })]).toEqual([100, 300]);
  });
});

describe("truncation", () => {
  it("is found by its op, and nowhere in a film without it", () => {
    expect([...cutsOf(shown.trace)]).toEqual([]);
    const { trace } = film("rnn");
    const nodes = [...trace.nodes, { ...trace.nodes.at(-1)!, op: "truncate", time: 3 }, { ...trace.nodes.at(-1)!, op: "truncate", time: 5 }];
    expect([...cutsOf(Object.create(trace, { nodes: { value: nodes } }))]).toEqual([3, 5]);
  });
});
