import { describe, expect, it } from "vitest";
import { commonMetric, differing, flattened, leaders, left, observedAt, observedSteps, sameShape, scored, smoothed, smoothing, validationPoints, type Compared } from "./comparison";

const stop = { steps: null, patience: null, min_delta: null, target: null, seconds: null };

function run(program: object, further: Partial<Compared> = {}): Compared {
  const whole = { task: "digits", cell: "gru", hidden_size: 16, optimizer: { name: "adamw", lr: 0.01 }, clip_norm: 1, batch_size: 32, seed: 0, ...program };
  return { id: "r_1", program: whole as Compared["program"], step: 0, status: "idle", history: { loss: [], gradient_norm: [] }, validation: [], best: null, tested: null, edits: [], stop, seconds: 0, ...further };
}

describe("settings that differ", () => {
  it("are told by their paths, and no others", () => {
    const rows = differing([run({}), run({ cell: "lstm", optimizer: { name: "adamw", lr: 0.1 } }), run({ data: "0123456789abcdef" })]);
    expect(rows).toEqual([
      { key: "cell", values: ["gru", "lstm", "gru"] },
      { key: "optimizer.lr", values: [0.01, 0.1, 0.01] },
    ]);
  });

  it("take what is left out for its default", () => {
    expect(differing([run({}), run({ layers: 1, dropout: 0, bidirectional: false, truncation: null, schedule: null })])).toEqual([]);
    expect(differing([run({}), run({ layers: 2 })])).toEqual([{ key: "layers", values: [1, 2] }]);
    expect(differing([run({}), run({ schedule: { name: "step", step_size: 10, gamma: 0.5 } })]).map((row) => row.key)).toEqual(["schedule.name", "schedule.step_size", "schedule.gamma"]);
  });

  it("count changes of the rate on the way and conditions that end a run", () => {
    const rows = differing([run({}, { edits: [{ step: 30, lr: 0.001 }] }), run({}, { stop: { ...stop, patience: 3 } })]);
    expect(rows).toEqual([
      { key: "stop.patience", values: [null, 3] },
      { key: "edits", values: ["30: 0.001", null] },
    ]);
  });

  it("write lists as one", () => {
    expect(flattened({ optimizer: { betas: [0.9, 0.99] } })).toEqual({ "optimizer.betas": "0.9, 0.99" });
  });
});

describe("curves", () => {
  it("are means of as many steps in every run", () => {
    expect(smoothing([2000, 100], 100)).toBe(20);
    expect(smoothing([])).toBe(1);
    expect(smoothed([1, 3, 5, 7, 9], 2)).toEqual([{ x: 1.5, y: 2 }, { x: 3.5, y: 6 }, { x: 5, y: 9 }]);
  });

  it("have gaps where a loss is no number", () => {
    expect(smoothed([1, NaN, NaN, Infinity], 2)).toEqual([{ x: 1.5, y: 1 }, { x: 3.5, y: null }]);
    expect(validationPoints({ validation: [{ step: 5, loss: NaN }, { step: 10, loss: 2 }] }, "loss")).toEqual([{ x: 5, y: null }, { x: 10, y: 2 }]);
  });
});

describe("scores", () => {
  const judged = { validation: [{ step: 50, loss: 1, accuracy: 0.4 }, { step: 100, loss: 0.5, accuracy: 0.8 }, { step: 150, loss: 0.7, accuracy: 0.7 }] };

  it("go by what all of the runs have", () => {
    expect(commonMetric([judged, judged])).toBe("accuracy");
    expect(commonMetric([judged, { validation: [{ step: 1, loss: 2, rmse: 3 }] }])).toBe("loss");
    expect(commonMetric([{ validation: [{ step: 1, loss: 2, accuracy: 0.3, perplexity: 4 }] }])).toBe("perplexity");
    expect(commonMetric([{ validation: [] }])).toBe("loss");
  });

  it("are those at the end and at best", () => {
    expect(scored(judged, "accuracy")).toEqual({ last: { step: 150, value: 0.7 }, best: { step: 100, value: 0.8 } });
    expect(scored(judged, "loss").best).toEqual({ step: 100, value: 0.5 });
    expect(scored({ validation: [] }, "loss")).toEqual({ last: null, best: null });
  });

  it("know their leaders, where there is a choice", () => {
    expect([...leaders([0.3, 0.9, 0.9, null], "accuracy")]).toEqual([1, 2]);
    expect([...leaders([0.3, 0.9], "rmse")]).toEqual([0]);
    expect([...leaders([0.3, null], "rmse")]).toEqual([]);
  });
});

describe("gradients through time", () => {
  const observations = [{ step: 1, norms: [1e-4, 0.1, 1] }, { step: 20, norms: [0.5, 1] }];

  it("are those of the last observation up to the step", () => {
    expect(observedAt(observations, 19)).toBe(observations[0]);
    expect(observedAt(observations, 500)).toBe(observations[1]);
    expect(observedAt(observations, 0)).toBe(observations[0]);
    expect(observedAt([], 3)).toBeNull();
    expect(observedSteps([observations, [{ step: 2, norms: [] }]])).toEqual([1, 2, 20]);
  });

  it("say what is left at the first step", () => {
    expect(left([1e-4, 0.1, 1])).toBeCloseTo(1e-4);
    expect(left([0, 0, 2])).toBe(0);
    expect(left([1])).toBeNull();
    expect(left([1, 0])).toBeNull();
  });
});

describe("one landscape", () => {
  it("is of networks of one shape on one task", () => {
    expect(sameShape([run({}), run({ seed: 4, layers: 1, optimizer: { name: "sgd", lr: 1 } })])).toBe(true);
    expect(sameShape([run({}), run({ hidden_size: 8 })])).toBe(false);
    expect(sameShape([run({}), run({ task: "surnames" })])).toBe(false);
  });
});
