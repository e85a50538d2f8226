import { describe, expect, it } from "vitest";
import { film } from "../model/fixtures";
import { NetworkGrid, slice } from "../model/network";
import type { Tensor } from "../model/trace";
import { nodesOf } from "./opencell";
import { cameOver, linkFactor, railOf, type Rail } from "./rail";

function way(name: "rnn" | "gru" | "lstm", t: number, steps = 4) {
  const shown = film(name);
  const grid = NetworkGrid.of(shown.trace)!;
  const column = grid.column(t)!;
  const nodes = nodesOf(shown.trace, grid, column, 0);
  return {
    shown, grid, column,
    rail: railOf(grid, column, shown.trace, steps),
    values: (key: string): number[] => Array.from(slice(shown.trace.value(nodes.get(key)!.node), 0)),
    gradient: (node: number): number[] => Array.from(slice(shown.trace.gradient(node)!, 0)),
  };
}

/** What comes over the link from one box to another, of the first example. */
function over({ shown, rail }: { shown: ReturnType<typeof film>; rail: Rail }, from: string, to: string): number[] {
  const index = (tex: string): number => rail.boxes.findIndex((box) => box.tex === tex);
  const link = rail.links.find((one) => one.from === index(from) && one.to === index(to))!;
  const parts = shown.contributions(rail.boxes[link.to]!.node!).filter((one) => one.kind === "vjp" && one.time === link.time && link.by(one.node));
  expect(parts.length).toBeGreaterThan(0);
  return parts.map((one) => Array.from(slice(one.tensor(), 0))).reduce((sum, part) => sum.map((v, i) => v + part[i]!));
}

const d = (state: string, t: number): string => `\\partial L/\\partial ${state}_{${t}}`;
const close = (one: number[], other: number[]): void => {
  expect(one).toHaveLength(other.length);
  one.forEach((value, i) => expect(value).toBeCloseTo(other[i]!, 12));
};
const plus = (one: number[], other: number[]): number[] => one.map((v, i) => v + other[i]!);
const times = (weight: Tensor, delta: number[]): number[] =>
  Array.from({ length: weight.shape[1]! }, (_, j) => delta.reduce((sum, one, i) => sum + one * weight.at([i, j]), 0));

describe("the way back", () => {
  it("names the gradients of the step and of the state before it; h_0 is a constant and has none", () => {
    for (const name of ["rnn", "gru", "lstm"] as const) {
      const { rail, shown } = way(name, 2);
      expect(rail.boxes.filter((box) => box.node === null || shown.trace.gradient(box.node) === null)).toEqual([]);
      const reached = new Set(rail.links.map((one) => one.to));
      expect(rail.boxes.filter((_, k) => !reached.has(k)).map((box) => box.column)).toEqual(name === "lstm" ? [0, 0] : [0]);
      expect(way(name, 1).rail.boxes.find((box) => box.tex === d("h", 0))!.node).toBeNull();
    }
  });

  it("has no two boxes in one place, and no link that begins before it ends", () => {
    for (const name of ["rnn", "gru", "lstm"] as const) {
      const { boxes, links } = way(name, 2).rail;
      expect(new Set(boxes.map((box) => `${box.column} ${box.row}`)).size).toBe(boxes.length);
      expect(links.every((one) => boxes[one.from]!.column < boxes[one.to]!.column)).toBe(true);
    }
  });
});

describe("what comes over its links", () => {
  it("is by so much longer than what it comes from; before it has come there is nothing", () => {
    for (const name of ["rnn", "gru", "lstm"] as const) {
      const { rail, shown, gradient } = way(name, 3);
      for (const link of rail.links) {
        const [from, into] = [rail.boxes[link.from]!, rail.boxes[link.to]!];
        const came = cameOver(rail, link, shown, shown.length);
        const length = (numbers: number[]): number => Math.hypot(...numbers);
        expect(linkFactor(rail, link, came, shown, shown.length, 0)!).toBeCloseTo(length(over({ shown, rail }, from.tex, into.tex)) / length(gradient(from.node!)), 12);
        expect(cameOver(rail, link, shown, shown.arrives(from.node!) - 1)).toEqual([]);
      }
    }
  });

  it("is past every matrix where a state has a way of its own", () => {
    const past = (name: "rnn" | "gru" | "lstm"): string[] => way(name, 3).rail.links.filter((one) => one.past).map((one) => one.tex);
    expect([past("rnn"), past("gru"), past("lstm")]).toEqual([[], ["z_{3}\\odot"], ["f_{3}\\odot"]]);
  });

  it("of the LSTM: the cell state has its own way, past every matrix, and it ends with the last step", () => {
    const at = way("lstm", 2);
    const next = way("lstm", 3);
    const { column, grid, gradient, values, rail } = at;
    const later = gradient(grid.column(3)!.c!);
    const [kept, through] = [over(at, d("c", 3), d("c", 2)), over(at, d("h", 2), d("c", 2))];
    close(kept, next.values("f").map((f, i) => f * later[i]!));
    close(through, gradient(column.h).map((g, i) => g * values("o")[i]! * (1 - Math.tanh(values("c")[i]!) ** 2)));
    close(plus(kept, through), gradient(column.c!));
    close(over(at, d("c", 2), d("c", 1)), values("f").map((f, i) => f * gradient(column.c!)[i]!));
    expect(rail.links.map((one) => one.tex).filter((tex) => tex.startsWith("f"))).toEqual(["f_{2}\\odot", "f_{3}\\odot"]);
    expect(rail.equations[0]).toContain("\\hat{y}_{1}"); // every step of this film has a loss
    const last = way("lstm", 4).rail;
    expect([last.boxes.some((box) => box.tex === d("c", 5)), last.links.length]).toEqual([false, rail.links.length - 1]);
  });

  it("of the LSTM: the output gate hangs on h, the others on the cell state", () => {
    const at = way("lstm", 2);
    const hidden = at.grid.hidden;
    const [output, others] = [over(at, d("h", 2), "\\delta_{2}"), over(at, d("c", 2), "\\delta_{2}")];
    close(plus(output, others), at.gradient(at.column.a!));
    expect(output.slice(0, 3 * hidden).every((v) => v === 0) && others.slice(3 * hidden).every((v) => v === 0)).toBe(true); // i, f, g, o
    const [o, c] = [at.values("o"), at.values("c")];
    close(output.slice(3 * hidden), at.gradient(at.column.h).map((g, i) => g * Math.tanh(c[i]!) * o[i]! * (1 - o[i]!)));
  });

  it("of the GRU: what passes z is a part of dL/dh_t, not of delta", () => {
    const at = way("gru", 3);
    const { shown, grid, column, values, gradient, rail } = at;
    const weight = shown.trace.value(grid.parameter("weight_hh_l0")!.node);
    const [kept, through] = [over(at, d("h", 3), d("h", 2)), over(at, "\\delta_{3}", d("h", 2))];
    close(through, times(weight, gradient(rail.boxes[1]!.node!)));
    close(kept, values("z").map((z, i) => z * gradient(column.h)[i]!));
    close(plus(kept, through), gradient(grid.column(2)!.h));
    expect([rail.links[0]!.tex, rail.equations]).toEqual(["z_{3}\\odot", []]); // nothing else reads the state before: the loss stands on the last
  });

  it("of the RNN: the slope of tanh, then W", () => {
    const at = way("rnn", 3);
    const { shown, grid, column, gradient } = at;
    const delta = over(at, d("h", 3), "\\delta_{3}");
    close(delta, gradient(column.h).map((g, i) => g * (1 - at.values("h")[i]! ** 2)));
    close(over(at, "\\delta_{3}", d("h", 2)), times(shown.trace.value(grid.parameter("weight_hh_l0")!.node), delta));
  });
});
