// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import type { Checkpoint, NetworkProgram } from "../api/types";
import { film } from "../model/fixtures";
import { NetworkGrid } from "../model/network";
import { captionOf, shrink } from "./caption";
import { counterpart } from "./counterpart";
import { apart, besideColumns, columnsOf, heightsOf, leftOf, numbered, rowHeight, scrolledTo, stepAt } from "./layout";
import { payloadOf, readComparison } from "./link";
import { namesOf } from "./names";
import { halvesOf, largestDifference, measured, meanHop, ratioOf, seriesOf } from "./norms";
import { changed, checkpointFor, common, isTrained, programOf, toggled, withTraining } from "./programs";

const [rnn, lstm, gru] = [film("rnn"), film("lstm"), film("gru")].map((one) => ({ film: one, trace: one.trace, grid: NetworkGrid.of(one.trace)! }));

describe("a number's counterpart", () => {
  it("is of the same role, step and element", () => {
    const own = { kind: "gradient" as const, node: rnn!.grid.column(2)!.h, index: [0, 1] };
    for (const other of [lstm!, gru!]) {
      expect(counterpart(own, rnn!.trace, other.trace)).toEqual({ ...own, node: other.grid.column(2)!.h });
    }
    expect(counterpart({ ...own, node: rnn!.trace.loss, index: [] }, rnn!.trace, gru!.trace)?.node).toBe(gru!.trace.loss);
  });

  it("is missing where the other has no such state, or other gates in its rows", () => {
    const c = { kind: "value" as const, node: lstm!.grid.column(1)!.c!, index: [0, 0] };
    expect(counterpart(c, lstm!.trace, gru!.trace)).toBeNull();
    const weight = { kind: "gradient" as const, node: rnn!.grid.parameter("weight_hh_l0")!.node, index: [0, 0] };
    expect(counterpart(weight, rnn!.trace, lstm!.trace)).toBeNull();
    const alike = film("rnn").trace; // a network of the same shapes
    expect(counterpart(weight, rnn!.trace, alike)).toEqual({ ...weight, node: alike.node("rnn.weight_hh_l0").id });
    const delta = { kind: "gradient" as const, node: rnn!.grid.column(3)!.a!, index: [0, 2] };
    expect(counterpart(delta, rnn!.trace, alike)).toEqual({ ...delta, node: rnn!.grid.column(3)!.a! });
  });
});

describe("norms", () => {
  const steps = lstm!.grid.columns.length;
  const series = seriesOf(lstm!.film, lstm!.grid, 0, steps);

  it("are those of the trace's gradients, of h and of c", () => {
    expect(series.map((one) => one.state)).toEqual(["h", "c"]);
    for (const { state, norms } of series) {
      norms.forEach((norm, i) => {
        const gradient = lstm!.trace.gradient(lstm!.grid.column(i + 1)![state]!)!;
        expect(norm).toBeCloseTo(Math.hypot(...gradient.data), 14);
      });
    }
    expect(seriesOf(gru!.film, gru!.grid, 0, 2)).toHaveLength(1);
  });

  it("are shares of the last step's, and hop by hop come to what is left", () => {
    const [h] = series;
    expect(measured(h!, h!.last, "share")).toBe(1);
    expect(measured(h!, h!.norms[0]!, "share")).toBe(ratioOf(h!));
    expect(measured(h!, h!.norms[0]!, "absolute")).toBe(h!.norms[0]);
    expect(meanHop(h!)! ** (steps - 1)).toBeCloseTo(ratioOf(h!)!, 12);
    expect(ratioOf({ state: "h", norms: [0, 0], last: 0 })).toBeNull();
  });

  it("come over a slope and a matrix in an RNN with one loss; elsewhere there are more ways", () => {
    const { film, grid } = rnn!;
    const [h] = seriesOf(film, grid, 0, grid.columns.length);
    const { slope, matrix } = halvesOf(film, grid, 0, h!)!;
    const weight = film.trace.value(grid.parameter("weight_hh_l0")!.node);
    const hops = grid.columns.slice(1).map((column) => {
      const delta = Array.from(film.trace.gradient(column.a!)!.data);
      const back = Array.from({ length: grid.hidden }, (_, j) => delta.reduce((sum, d, i) => sum + d * weight.at([i, j]), 0));
      return { slope: Math.hypot(...delta) / h!.norms[column.t - 1]!, matrix: Math.hypot(...back) / Math.hypot(...delta) };
    });
    expect(slope ** hops.length).toBeCloseTo(hops.reduce((product, hop) => product * hop.slope, 1), 12);
    expect(matrix ** hops.length).toBeCloseTo(hops.reduce((product, hop) => product * hop.matrix, 1), 12);
    expect(halvesOf(lstm!.film, lstm!.grid, 0, series[0]!)).toBeNull();
  });

  it("differ by the largest difference of a unit", () => {
    expect(largestDifference(Float64Array.of(1, -2), Float64Array.of(0.5, 1))).toBe(3);
    expect(largestDifference(Float64Array.of(1), Float64Array.of(1, 2))).toBeNull();
  });
});

const made = (cell: NetworkProgram["cell"], more: object = {}): NetworkProgram => ({
  kind: "network", task: "adding-50", cell, hidden_size: 16, optimizer: { name: "adamw", lr: 0.002 }, clip_norm: 1, batch_size: 32, seed: 4, step: 1, example: 0, ...more,
});
const checkpoints = (["rnn", "lstm", "gru"] as const).map((cell) => {
  const { kind: _, step: __, example: ___, ...program } = made(cell, { data: "0123456789abcdef" });
  return { name: `adding-50-${cell}`, version: "f".repeat(16), program, step: 2500, loss: 0.1, validation: { step: 2500, loss: 0.1, rmse: 0.3 } } as unknown as Checkpoint;
});

describe("programs that are compared", () => {
  const trained = checkpoints.map((checkpoint) => programOf(checkpoint, true, 0));

  it("start from the trained networks, or where those started", () => {
    expect(trained.map((program) => program.start?.checkpoint)).toEqual(["adding-50-rnn", "adding-50-lstm", "adding-50-gru"]);
    expect(trained[0]).not.toHaveProperty("data");
    const before = withTraining(trained, false, checkpoints);
    expect(before).toEqual(["rnn", "lstm", "gru"].map((cell) => made(cell as NetworkProgram["cell"])));
    expect([isTrained(trained), isTrained(before)]).toEqual([true, false]);
    expect(withTraining(before, true, checkpoints)).toEqual(trained);
  });

  it("lose a start that no longer fits, and keep one that does", () => {
    expect(changed(trained, { hidden_size: 8 }, checkpoints).some((program) => program.start)).toBe(false);
    expect(changed(trained, { example: 7 }, checkpoints)).toEqual(trained.map((program) => ({ ...program, example: 7 })));
    const [surnames] = changed([made("rnn", { data: "x", example: 9 })], { task: "surnames" }, checkpoints);
    expect(surnames).toEqual(made("rnn", { task: "surnames" }));
    expect(checkpointFor(made("gru", { hidden_size: 4 }), checkpoints)).toBeNull();
  });

  it("are two to three, in one order", () => {
    const two = toggled(trained, "lstm", checkpoints);
    expect(two.map((program) => program.cell)).toEqual(["rnn", "gru"]);
    expect(toggled(two, "rnn", checkpoints)).toEqual(two);
    expect(toggled(two, "lstm", checkpoints)).toEqual(trained);
    expect(common(trained, "seed")).toBe(4);
    expect(common(trained, "cell")).toBeUndefined();
  });

  it("are called by their cell, and by what tells two of one cell apart", () => {
    expect(namesOf(trained, [false, false, false]).map(({ cell, apart: words }) => [cell, words.length])).toEqual([["RNN", 0], ["LSTM", 0], ["GRU", 0]]);
    const twins = namesOf([made("gru"), made("gru", { seed: 5, start: { checkpoint: "adding-50-gru" } })], [false, true]);
    expect(twins[1]!.apart.map(({ key }) => key)).toEqual(["compare.name.trained", "compare.name.seed", "compare.name.edited"]);
  });

  it("travel in a link, and nothing else does", () => {
    const films = [{ program: trained[0]! }, { trace: `sha256:${"a".repeat(64)}` }];
    expect(readComparison(payloadOf({ films, followed: 1, measure: "absolute" }))).toEqual({ films, followed: 1, measure: "absolute" });
    expect(readComparison(payloadOf({ films, followed: 1, measure: "absolute", layout: "side" }))).toEqual({ films, followed: 1, measure: "absolute", layout: "side" });
    expect(readComparison({ films, layout: "diagonal" })).toEqual({ films, followed: 0, measure: "share" });
    expect(readComparison({ films })).toEqual({ films, followed: 0, measure: "share" });
    for (const broken of [{}, { films: [films[0]] }, { films: [films[0], { trace: "x" }] }, { films: [...films, ...films] }, { films: [films[0], { program: { kind: "expression", expression: "x", inputs: {} } }] }]) {
      expect(readComparison(broken)).toBeNull();
    }
    expect(readComparison({ films, followed: 5 })?.followed).toBe(0);
  });
});

describe("the columns", () => {
  it("fit fifty steps into the stage, and into a phone", () => {
    for (const [width, longest] of [[880, 4], [880, 20], [390, 4]] as const) {
      const columns = columnsOf(width, 50, longest);
      expect(leftOf(columns, 51)).toBeLessThanOrEqual(width);
      expect(columns.pitch).toBeGreaterThan(6);
      for (const t of [1, 25, 50]) expect(stepAt(columns, leftOf(columns, t) + 1)).toBe(t);
      const shown = numbered(columns);
      expect([shown[0], shown.at(-1)]).toEqual([1, 50]);
      for (let k = 1; k < shown.length; k++) expect((shown[k]! - shown[k - 1]!) * columns.pitch).toBeGreaterThanOrEqual(20);
    }
  });

  it("keep labels from touching", () => {
    const places = apart([10, 11, 12, 90], 15, 0, 100);
    const sorted = [...places].sort((a, b) => a - b);
    for (let k = 1; k < sorted.length; k++) expect(sorted[k]! - sorted[k - 1]!).toBeGreaterThanOrEqual(15);
    expect(Math.max(...places)).toBeLessThanOrEqual(100);
  });
});

describe("a room for panes", () => {
  const taken = (strips: number[], { strip, lane, log, tight }: ReturnType<typeof heightsOf>, hidden: number): number =>
    28 + 52 + log + strips.reduce((total, count) => total + (tight ? 45 : 53) + lane + count * (6 + hidden * rowHeight(hidden, strip)), 0);

  it("is made use of, low or high, and not gone beyond", () => {
    for (const strips of [[1, 2, 1], [1, 1], [2, 2, 2]]) {
      for (const room of [560, 640, 800, 1200]) {
        const heights = heightsOf(room, strips, 28, false);
        for (const hidden of [1, 4, 5, 16, 24]) expect(taken(strips, heights, hidden)).toBeLessThanOrEqual(room);
        if (strips.length === 3 && room > 600) expect(taken(strips, heights, 4)).toBeGreaterThan(room * 0.9);
      }
    }
    expect(taken([1, 2, 1], heightsOf(473, [1, 2, 1], 28, false), 16)).toBeLessThanOrEqual(473); // 1366 x 768
  });

  it("that grows with its panes leaves them as they are", () => {
    const { strip } = heightsOf(null, [1, 2, 1], 28, false);
    expect([rowHeight(4, strip), rowHeight(16, strip), rowHeight(64, strip)]).toEqual([12, 3, 1]);
  });
});

describe("the caption", () => {
  const join = (names: string[]): string => names.join("+");
  const point = { phase: "backward" as const, what: "step" as const, time: 1, parameter: null };
  const of = (...ratios: (number | null)[]) => captionOf(point, ratios.map((ratio, i) => ({ name: `N${i}`, cell: i === 0 ? ("rnn" as const) : ("lstm" as const), ratio, halves: i === 0 ? { slope: 0.72, matrix: 1.105 } : null })), true, 50, join);

  it("says who forgets and who does not, and only what the numbers say", () => {
    expect(of(1.4e-5, 0.5, 0.9)).toMatchObject({ key: "compare.caption.one_vanishes", params: { lost: "N0", kept: "N1+N2", times: "71,000" }, because: "compare.caption.because", becauseParams: { rnn: "×0.796", slope: "×0.720", matrix: "×1.105", gated: "N1 ×0.986+N2 ×0.998" } });
    expect(of(0.5, 1e-5).because).toBeUndefined(); // it is not the RNN that forgets
    expect(of(1e-11, 1e-12, 1e-9).key).toBe("compare.caption.all_vanish");
    expect(of(1e-5, 1e-6, 0.9).key).toBe("compare.caption.some_vanish");
    expect(of(0.05, 0.5).key).toBe("compare.caption.left");
    expect(captionOf({ ...point, time: 7 }, [], false, 50, join)).toMatchObject({ key: "compare.caption.backward", params: { t: 7 } });
  });

  it("counts in two digits", () => {
    expect([shrink(1 / 71_942), shrink(0.4), shrink(1e-11)]).toEqual(["72,000", "2.5", "1·10¹¹"]);
  });
});

describe("panes side by side", () => {
  const columns = besideColumns(240, 50);

  it("keep columns that can be read, and scroll", () => {
    expect(columns.pitch).toBeGreaterThanOrEqual(9);
    expect(columns.width).toBeGreaterThan(240);
    expect(besideColumns(400, 4).width).toBeLessThanOrEqual(400);
  });

  it("are scrolled until a step and its neighbours are seen, and no further", () => {
    for (const t of [1, 2, 25, 49, 50]) {
      const scroll = scrolledTo(columns, t, 240, 100);
      expect(leftOf(columns, t)).toBeGreaterThanOrEqual(scroll);
      expect(leftOf(columns, t) + columns.pitch).toBeLessThanOrEqual(scroll + 240);
      expect(scroll).toBeLessThanOrEqual(columns.width - 240);
      expect(scrolledTo(columns, t, 240, scroll)).toBe(scroll);
    }
  });
});
