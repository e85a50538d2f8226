import { describe, expect, it } from "vitest";
import { film, FIXTURES } from "./fixtures";
import { beats, nextStop, previousStop, stops, type Stride } from "./stops";

describe.each(FIXTURES)("the stops of %s", (name) => {
  const shown = film(name);

  it.each<Stride>(["event", "op", "cell", "phase"])("by %s rise from the first moment to the last", (stride) => {
    const list = stops(shown, stride);
    expect(list[0]).toBe(0);
    expect(list.at(-1)).toBe(shown.length);
    for (let i = 1; i < list.length; i++) expect(list[i]!).toBeGreaterThan(list[i - 1]!);
  });

  it("are fewer the longer the stride", () => {
    const [event, op, cell, phase] = (["event", "op", "cell", "phase"] as const).map((stride) => stops(shown, stride).length);
    expect(event).toBe(shown.length + 1);
    expect(op!).toBeLessThanOrEqual(event!);
    expect(cell!).toBeLessThanOrEqual(op!);
    expect(phase!).toBeLessThanOrEqual(cell!);
  });
});

describe("beats", () => {
  const told = (name: "rnn" | "lstm" | "rnn-batch"): string[] =>
    beats(film(name)).map(({ phase, what, time }) => `${phase} ${what}${time === null ? "" : ` ${time}`}`);

  it("walk the cells there and back", () => {
    expect(told("rnn")).toEqual([
      ...[1, 2, 3, 4, 5].map((t) => `forward step ${t}`), "forward head", "loss loss", "backward zero", "backward head",
      ...[5, 4, 3, 2, 1].map((t) => `backward step ${t}`), "update clip", ...Array.from({ length: 6 }, () => "update update"),
    ]);
  });

  it("keep the rows of ended sequences with a step", () => {
    const list = told("rnn-batch");
    expect(list.filter((beat) => beat === "forward head")).toHaveLength(1);
    expect(list.filter((beat) => beat === "backward head")).toHaveLength(1);
    expect(list.filter((beat) => beat === "backward step 2")).toHaveLength(1);
  });

  it("have no gaps", () => {
    const list = beats(film("lstm"));
    list.forEach((beat, i) => expect(beat.from).toBe(i === 0 ? 0 : list[i - 1]!.to));
  });
});

it("the next and the previous stop", () => {
  expect([nextStop([0, 4, 9], 4), nextStop([0, 4, 9], 9), nextStop([0, 4, 9], 2)]).toEqual([9, 9, 4]);
  expect([previousStop([0, 4, 9], 4), previousStop([0, 4, 9], 0), previousStop([0, 4, 9], 7)]).toEqual([0, 0, 4]);
});

describe("the beats of layers and directions", () => {
  const list = beats(film("stack"));
  const of = (phase: string): (string | undefined)[] => list.filter((beat) => beat.phase === phase && ["step", "join"].includes(beat.what)).map((beat) => (beat.what === "join" ? `join ${beat.chain}` : beat.chain));
  const runs = (chains: (string | undefined)[]): (string | undefined)[] => chains.filter((chain, i) => chain !== chains[i - 1]);

  it("tell one chain from the next, whose directions are joined in between", () => {
    expect(runs(of("forward"))).toEqual(["l0", "l0_reverse", "join l0", "l1", "l1_reverse"]);
    expect(runs(of("backward"))).toEqual(["l1_reverse", "l1", "join l0", "l0_reverse", "l0"]);
  });

  it("go to the right, and the reverse direction's to the left; back the other way", () => {
    const times = (phase: string, chain: string): (number | null)[] => list.filter((beat) => beat.phase === phase && beat.what === "step" && beat.chain === chain).map((beat) => beat.time);
    expect(times("forward", "l0")).toEqual([1, 2, 3, 4, 5]);
    expect(times("forward", "l0_reverse")).toEqual([5, 4, 3, 2, 1]);
    expect(times("backward", "l1")).toEqual([5, 4, 3, 2, 1]);
    expect(times("backward", "l1_reverse")).toEqual([1, 2, 3, 4, 5]);
  });
});
