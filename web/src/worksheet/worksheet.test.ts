import { describe, expect, it } from "vitest";
import { renderTex, segments } from "../math/render";
import { USUAL } from "../math/notation";
import { film } from "../model/fixtures";
import { NetworkGrid } from "../model/network";
import type { Tensor } from "../model/trace";
import { DEFAULT, KINDS, MOST_BLANKS, readSettings, type Settings } from "./address";
import { written } from "./sheet";
import { random, worksheet, type Worksheet } from "./worksheet";

const cells = (sheet: Worksheet) => sheet.tables.flatMap((table) => table.rows.flatMap((row) => row.cells.filter((cell) => cell !== null)));

describe.each(["rnn", "gru", "lstm", "rnn-batch", "rnn-edited", "stack", "wide", "layers"] as const)("a worksheet of %s", (name) => {
  const shown = film(name);
  const grid = NetworkGrid.of(shown.trace);
  const make = (settings: Partial<Settings> = {}, notation = USUAL): Worksheet => worksheet(shown, grid, 0, { ...DEFAULT, ...settings }, notation);

  it("has a blank in its tables for each question", () => {
    const sheet = make({ count: MOST_BLANKS });
    expect(sheet.blanks.length).toBeGreaterThan(4);
    for (const blank of sheet.blanks) {
      const found = cells(sheet).filter((cell) => cell.id === blank.id);
      if (!blank.id.startsWith("setting:")) expect([blank.id, found.length]).toEqual([blank.id, 1]);
    }
    expect(new Set(sheet.blanks.map(({ letter }) => letter)).size).toBe(sheet.blanks.length);
  });

  it("has answers that are the numbers of the trace", () => {
    for (let seed = 0; seed < 20; seed++) {
      const sheet = make({ seed, count: MOST_BLANKS });
      sheet.blanks.forEach((blank, i) => {
        const { value } = sheet.answers[i]!;
        const [kind, node, index, rung] = blank.id.split(":");
        const at = index === "" ? [] : index!.split(",").map(Number);
        if (kind === "value") expect(value).toBe(shown.trace.value(Number(node)).at(at));
        if (kind === "gradient") expect(value).toBe(shown.trace.gradient(Number(node))!.at(at));
        if (kind === "update") expect(value).toBe(shown.update(Number(node))!.terms.get(rung!)!.at(at));
        expect(cells(sheet).find((cell) => cell.id === blank.id)!.value).toBe(value);
      });
    }
  });

  it("never asks what stands on it a second time", () => {
    for (let seed = 0; seed < 20; seed++) {
      const sheet = make({ seed, count: MOST_BLANKS });
      const blanks = new Set(sheet.blanks.map(({ id }) => id));
      const seen = new Set(cells(sheet).filter((cell) => !blanks.has(cell.id)).map((cell) => written(cell.value)));
      for (const { value } of sheet.answers) expect(seen.has(written(value))).toBe(false);
    }
  });

  it("is the same for the same seed, and another for another", () => {
    const ids = (seed: number): string => make({ seed }).blanks.map(({ id }) => id).join();
    expect(ids(3)).toBe(ids(3));
    expect(new Set([1, 2, 3, 4, 5].map(ids)).size).toBeGreaterThan(1);
  });

  it("asks only of the kinds that are wanted, as many as are wanted", () => {
    for (const kind of KINDS) {
      const sheet = make({ kinds: [kind], count: 3 });
      expect(sheet.blanks.every((blank) => blank.kind === kind)).toBe(true);
      expect(sheet.blanks.length).toBeLessThanOrEqual(3);
    }
    expect(make({ kinds: ["forward"], count: 3 }).blanks).toHaveLength(3);
    if (grid) expect(make({ kinds: ["gradient", "update"], count: 4 }).blanks.map(({ kind }) => kind).sort()).toEqual(["gradient", "gradient", "update", "update"]);
  });

  it("is written in TeX that can be read, with columns and with rows", () => {
    for (const notation of [USUAL, { product: "row", z: "renew" } as const]) {
      const sheet = make({ count: MOST_BLANKS }, notation);
      const heads = sheet.tables.flatMap((table) => [...table.heads, ...table.rows.map((row) => row.head)]).flatMap((text) => segments(text)).filter((piece) => piece.kind === "tex").map((piece) => piece.text);
      for (const tex of [...heads, ...sheet.blanks.flatMap(({ name, formula }) => [name, formula])]) expect(renderTex(tex, false)).not.toMatch(/merror|tex-unread/);
    }
  });
});

it("an RNN's blank state follows from what stands on the sheet", () => {
  const shown = film("rnn");
  const grid = NetworkGrid.of(shown.trace)!;
  const sheet = worksheet(shown, grid, 0, { ...DEFAULT, kinds: ["forward"], count: MOST_BLANKS }, USUAL);
  const value = (id: string): number => cells(sheet).find((cell) => cell.id === id)!.value;
  const weight = grid.parameter("weight_hh_l0")!.node;
  for (const [i, blank] of sheet.blanks.entries()) {
    const [, node, index] = blank.id.split(":");
    const [t, row] = [shown.trace.nodes[Number(node)]!.time!, Number(index!.split(",")[1])];
    const before = t === 1 ? [0, 0, 0, 0] : [0, 1, 2, 3].map((j) => value(`value:${grid.column(t - 1)!.h}:0,${j}`));
    const sum = value(`input:${t}:${row}`) + before.reduce((all, h, j) => all + value(`value:${weight}:${row},${j}`) * h, 0);
    expect(Math.tanh(sum)).toBeCloseTo(sheet.answers[i]!.value, 12);
  }
});

describe("a sheet of a part of a large film", () => {
  const shown = film("wide");
  const whole = NetworkGrid.of(shown.trace)!;
  const [b, all] = [0, [0, 1, 2, 3, 4, 5]];

  it.each(["l0", "l0_reverse", "l1", "l1_reverse"])("gives the terms that it does not show: %s", (suffix) => {
    const grid = whole.showing(whole.chains.find((chain) => chain.suffix === suffix)!);
    const units = [1, 4];
    const W = shown.trace.value(grid.parameter("weight_hh")!.node);
    const [delta, h] = [(t: number, i: number) => shown.trace.gradient(grid.column(t)!.a!)!.at([b, i]), (t: number, i: number) => shown.trace.value(grid.stateBefore(t).h).at([b, i])];
    const back = grid.shown.reverse ? -1 : 1;
    let asked = 0;
    for (let seed = 0; seed < 8; seed++) {
      const sheet = worksheet(shown, whole, b, { ...DEFAULT, chain: suffix, units, steps: [2, 4], kinds: ["forward", "gradient"], count: MOST_BLANKS, seed }, USUAL);
      expect(sheet.extent).toMatchObject({ from: 2, to: 4, length: 5, units, unitCount: 6 });
      sheet.blanks.forEach((blank, k) => {
        const [kind, node, index] = blank.id.split(":");
        const [t, i] = [shown.trace.nodes[Number(node)]!.time!, Number(index!.split(",")[1])];
        const column = grid.columns.find((one) => one.nodes.includes(Number(node)));
        if (!column) return; // of the prediction, which is no sum over units
        expect(units).toContain(i);
        const { value, why } = sheet.answers[k]!;
        if (kind === "value") {
          const u = cells(sheet).find((cell) => cell.id === `input:${t}:${i}`)!.value;
          const sum = u + units.reduce((sum, j) => sum + W.at([i, j]) * h(t, j), 0) + blank.rest!;
          expect(Math.tanh(sum)).toBeCloseTo(value, 12);
          expect(blank.rest).toBeCloseTo(all.filter((j) => !units.includes(j)).reduce((sum, j) => sum + W.at([i, j]) * h(t, j), 0), 12);
          expect(why.others).toEqual({ count: 4, value: blank.rest });
        } else if (Number(node) === column.h) {
          expect(units.reduce((sum, j) => sum + W.at([j, i]) * delta(t + back, j), 0) + blank.rest!).toBeCloseTo(value, 12);
        } else {
          expect(Number(node)).toBe(column.a!);
          expect(blank.rest).toBeNull();
        }
        asked++;
      });
    }
    expect(asked).toBeGreaterThan(40);
  });

  it("shows what was chosen as far as there is such a thing", () => {
    const extent = (settings: Partial<Settings>) => worksheet(shown, whole, b, { ...DEFAULT, ...settings }, USUAL).extent;
    expect(extent({ chain: "l7", units: [9], steps: [40, 50] })).toMatchObject({ from: 1, to: 5, units: [0, 1, 2, 3] });
    expect(extent({ steps: [4, 99], units: [2, 9] })).toMatchObject({ from: 4, to: 5, units: [2] });
  });

  it("says of a graph which operations it shows, and what of a sum it does not", () => {
    const graph = film("layers");
    const sheet = worksheet(graph, null, 0, { ...DEFAULT, count: MOST_BLANKS, units: [0, 3] }, USUAL);
    expect(sheet.extent).toMatchObject({ from: 1, to: 7, length: 7, units: [0, 3], unitCount: 6 });
    const product = graph.trace.nodes.find(({ op, shape }) => op === "matmul" && shape[0] === 6)!;
    const [W, x] = product.inputs.map((input) => graph.trace.value(input)) as [Tensor, Tensor];
    let seen = 0;
    for (let seed = 0; seed < 20; seed++) {
      for (const blank of worksheet(graph, null, 0, { ...DEFAULT, count: MOST_BLANKS, units: [0, 3], seed }, USUAL).blanks) {
        const [kind, node, index] = blank.id.split(":");
        if (kind !== "value" || Number(node) !== product.id) continue;
        const i = Number(index);
        expect([0, 3].reduce((sum, j) => sum + W.at([i, j]) * x.at([j]), 0) + blank.rest!).toBeCloseTo(graph.trace.value(product.id).at([i]), 12);
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(0);
    const few = worksheet(graph, null, 0, { ...DEFAULT, steps: [2, 3], count: MOST_BLANKS }, USUAL);
    expect(few.extent).toMatchObject({ from: 2, to: 3 });
    expect(few.blanks.length).toBeGreaterThan(2);
  });
});

it("a GRU's gate is the one that is shown", () => {
  const shown = film("gru");
  const grid = NetworkGrid.of(shown.trace)!;
  const settings: Settings = { ...DEFAULT, kinds: ["gradient"], count: MOST_BLANKS };
  const [usual, turned] = [USUAL, { product: "column", z: "renew" } as const].map((notation) => worksheet(shown, grid, 0, settings, notation)) as [Worksheet, Worksheet];
  const z = grid.column(2)!.gates.get("z")!;
  const one = (sheet: Worksheet, id: string): number => cells(sheet).find((cell) => cell.id === id)!.value;
  expect(one(turned, `value:${z}:0,0`)).toBeCloseTo(1 - one(usual, `value:${z}:0,0`), 12);
  expect(one(turned, `gradient:${z}:0,0`)).toBe(-one(usual, `gradient:${z}:0,0`));
});

describe("settings", () => {
  it("are read with care", () => {
    expect(readSettings(null)).toEqual(DEFAULT);
    expect(readSettings({ kinds: ["loss", "nonsense"], count: 1e9, seed: -3, paper: "a0", key: "yes", chain: "../x", steps: [5, 2], units: [1.5] })).toEqual({ ...DEFAULT, kinds: ["loss"], count: MOST_BLANKS, seed: 0 });
    expect(readSettings({ chain: "l1_reverse", steps: [2, 4], units: [5, 1, 1] })).toEqual({ ...DEFAULT, chain: "l1_reverse", steps: [2, 4], units: [1, 5] });
    expect(readSettings({ kinds: [], count: "8", seed: 7, paper: "letter", key: true })).toEqual({ ...DEFAULT, seed: 7, paper: "letter", key: true });
  });

  it("a seed gives the same numbers everywhere", () => {
    const next = random(1);
    expect([next(), next(), next()].map((x) => x.toFixed(6))).toEqual(["0.627074", "0.002736", "0.527447"]);
  });
});
