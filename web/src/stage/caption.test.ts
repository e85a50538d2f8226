import { describe, expect, it } from "vitest";
import { film } from "../model/fixtures";
import { NetworkGrid } from "../model/network";
import { beats } from "../model/stops";
import type { EventKind } from "../model/trace";
import { catalogues } from "../i18n/catalogues";
import { fill } from "../i18n/format";
import { eventWords, shortWords, symbolOf } from "../transport/words";
import eventCaption from "./said/eventCaption";
import { captionOf, rightProbability, type CaptionText } from "./caption";
import { atLoss, cardOf, marksAt, stepInView } from "./marks";

const { en, zh } = catalogues;

const NAMES = ["rnn", "rnn-batch", "gru", "lstm"] as const;

function scenes(name: (typeof NAMES)[number]) {
  const shown = film(name);
  const grid = NetworkGrid.of(shown.trace)!;
  const list = beats(shown);
  const at = (moment: number, after = false): CaptionText => captionOf({ film: shown, grid, beats: list, moment, example: 0, after, event: (e) => eventCaption(shown.trace, grid, e), className: (k) => `class ${k}` });
  return { shown, grid, list, at };
}

/** The parameters that a message needs. */
const needs = (message: string): string[] => [...message.matchAll(/(?<!\w)\{(\w+)\}|\{\{(\w+)\}\}/g)].map((match) => match[1] ?? match[2]!);

describe("the caption", () => {
  it("has a message in both languages, with all its parameters, at every moment of every film", () => {
    for (const name of NAMES) {
      const { shown, at } = scenes(name);
      for (let moment = 0; moment <= shown.length; moment++) {
        const { key, params, phase } = at(moment);
        expect([key, phase]).toEqual([key, shown.phaseAt(moment)]);
        for (const catalogue of [en, zh]) {
          expect([key, catalogue[key] !== undefined]).toEqual([key, true]);
          expect(needs(catalogue[key]!).filter((param) => params[param] === undefined)).toEqual([]);
        }
      }
    }
  });

  it("tells the story of the opening film", () => {
    const { shown, list, grid, at } = scenes("rnn");
    expect(at(0).key).toBe("stage.caption.start");
    expect(at(list[0]!.to)).toMatchObject({ key: "stage.caption.reads_letter", params: { token: grid.examples[0]!.tokens[0], t: 1 } });
    const end = list.find((beat) => beat.phase === "backward" && beat.time === 1)!;
    expect(at(end.to)).toMatchObject({ key: "stage.caption.arrived", params: { last: 5 } });
    const clip = list.find((beat) => beat.what === "clip");
    if (clip) expect(at(clip.to).key).toBe(shown.clip!.coefficient < 1 ? "stage.caption.clipped" : "stage.caption.not_clipped");
    expect(at(shown.length, true).key).toMatch(/^stage\.caption\.after_/);
  });

  it("says what is inside a cell where the names on the screen are not those of closed cells", () => {
    const { shown, grid } = scenes("lstm");
    const { events } = shown.trace;
    const sums = Array.from({ length: shown.length }, (_, e) => e).filter((e) => events.kind(e) === "accumulate");
    const said = (target: number): string => eventCaption(shown.trace, grid, sums.find((e) => events.target(e) === target)!).key;
    const { h, c, a } = grid.column(2)!;
    expect([said(h), said(c!), said(a!), said(grid.parameter("weight_hh_l0")!.node)]).toEqual(["said.accumulate", "said.accumulate", "said.accumulate_inside", "said.accumulate"]);
  });

  it("does not speak of a way from the last step to the first where every step has a loss", () => {
    const { list, at } = scenes("lstm");
    expect(at(list.find((beat) => beat.phase === "backward" && beat.time === 1)!.to).key).toBe("stage.caption.arrived_every");
  });

  it("says that a shorter example of a batch has ended", () => {
    const { shown, grid, list } = scenes("rnn-batch");
    const fifth = list.find((beat) => beat.phase === "forward" && beat.time === 5)!;
    const said = (example: number): string => captionOf({ film: shown, grid, beats: list, moment: fifth.to, example, after: false, className: String }).key;
    expect([said(0), said(2)]).toEqual(["stage.caption.reads_letter", "stage.caption.ended"]);
  });

  /** The English sentence of the first event of a kind, from an operation with this label to a node with that one, that is not the last of its beat. */
  function said(name: (typeof NAMES)[number], kind: EventKind, op: string, from: string | null, to?: string | null): string {
    const { shown, list, at } = scenes(name);
    const { events, nodes } = shown.trace;
    const ends = new Set(list.map((beat) => beat.to));
    const e = Array.from({ length: shown.length }, (_, k) => k).find(
      (k) => events.kind(k) === kind && nodes[events.node(k)]?.op === op && nodes[events.node(k)]!.label === from && (to === undefined || nodes[events.target(k)]!.label === to) && !ends.has(k + 1),
    );
    const { key, params } = at(e! + 1);
    return fill(en[key]!, params);
  }

  it("says with the names on the screen what an event does while a beat is being stepped through", () => {
    expect(said("rnn", "forward", "add", "a")).toBe("The sum: $a_{1} = W_{\\mathrm{ih}}\\,x_{1} + b_{\\mathrm{ih}} + (W_{\\mathrm{hh}}\\,h_{0} + b_{\\mathrm{hh}})$.");
    expect(said("rnn", "vjp", "add", "a", null)).toBe("$a_{5}$ passes its gradient on unchanged to $W_{\\mathrm{ih}}\\,x_{5} + b_{\\mathrm{ih}}$.");
    expect(said("rnn", "vjp", "tanh", "h", "a")).toBe("$h_{5}$ sends its gradient to $a_{5}$, times the slope of tanh there.");
    expect(said("rnn", "vjp", "linear", null, "h")).toBe("$W_{\\mathrm{ho}}\\,h_{5}$ sends its gradient through $W_{\\mathrm{ho}}$, transposed, to $h_{5}$.");
    expect(said("lstm", "vjp", "mul", null, "c")).toBe("$f_{4}\\,c_{3}$ sends its gradient to $c_{3}$, times $f_{4}$ element by element.");
    expect(said("lstm", "vjp", "stack", null, "h")).toBe("$h_{1}$ gets its part of the gradient of $h_{1}, \\dots, h_{4}$ unchanged.");
    expect(said("gru", "vjp", "sub", null, "z")).toBe("$1 - z_{4}$ passes its gradient on to $z_{4}$ with the opposite sign.");
  });

  it("names no operation as a program does, and no node by its number, in any film of a network", () => {
    for (const name of NAMES) {
      const { shown, at } = scenes(name);
      for (let moment = 0; moment <= shown.length; moment++) {
        const { key, params } = at(moment);
        for (const catalogue of [en, zh]) {
          expect(fill(catalogue[key]!, params)).not.toMatch(/\b(add|mul|sub|linear|index|stack|cross_entropy|mse_loss)\b|v_\{?\d/);
        }
      }
    }
  });

  it("knows the probability of the right class before and after the step", () => {
    const { shown, grid } = scenes("rnn");
    const [before, after] = [rightProbability({ film: shown, grid, example: 0 }, false)!, rightProbability({ film: shown, grid, example: 0 }, true)!];
    expect(before.target).toBe(grid.examples[0]!.target);
    expect(-Math.log(before.p)).toBeCloseTo(shown.trace.loss === undefined ? NaN : shown.trace.value(shown.trace.loss).flat(0), 10);
    expect(after.p).not.toBe(before.p);
  });
});

describe("an event in words", () => {
  it("has a message, long and short, for every event", () => {
    for (const name of [...NAMES, "scalar", "vector"] as const) {
      const { trace, length } = film(name);
      for (let e = 0; e < length; e++) {
        for (const { key, params } of [eventWords(trace, e), shortWords(trace, e)]) {
          for (const catalogue of [en, zh]) {
            expect([key, catalogue[key] !== undefined]).toEqual([key, true]);
            expect(needs(catalogue[key]!).filter((param) => params[param] === undefined || params[param] === "" && param !== "name")).toEqual([]);
          }
        }
      }
    }
  });

  it("uses the symbols people know", () => {
    const { shown, grid } = scenes("lstm");
    expect(symbolOf(shown.trace, grid.column(2)!.c!)).toBe("c_{2}");
    expect(symbolOf(shown.trace, grid.parameter("weight_hh_l0")!.node)).toBe("W_{\\mathrm{hh}}");
  });
});

describe("the marks", () => {
  it("are the beats of the event just done and of the next one, for every moment", () => {
    const { shown, list } = scenes("rnn");
    expect(marksAt(list, 0)).toEqual({ done: null, next: list[0] });
    expect(marksAt(list, shown.length)).toEqual({ done: list.at(-1), next: null });
    for (let m = 1; m < shown.length; m++) {
      const { done, next } = marksAt(list, m);
      expect(done!.from < m && m <= done!.to && next!.from <= m && m < next!.to).toBe(true);
    }
  });

  it("ring cards, or the loss, and keep that step in view", () => {
    const { list, shown } = scenes("rnn");
    const head = list.find((beat) => beat.what === "head")!;
    expect([cardOf(list[2]!), cardOf(head), atLoss(head), atLoss(null)]).toEqual([3, null, true, false]);
    expect([stepInView(list, 0, 5), stepInView(list, list[2]!.to, 5), stepInView(list, head.to, 5), stepInView(list, shown.length, 5)]).toEqual([1, 3, 5, null]);
  });
});
