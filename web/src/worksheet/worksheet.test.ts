import { describe, expect, it } from "vitest";
import { renderTex, segments } from "../math/render";
import { USUAL } from "../math/notation";
import { film } from "../model/fixtures";
import { NetworkGrid } from "../model/network";
import { DEFAULT, KINDS, MOST_BLANKS, readSettings, type Settings } from "./address";
import { random, suits, worksheet, written, type Worksheet } from "./worksheet";

const cells = (sheet: Worksheet) => sheet.tables.flatMap((table) => table.rows.flatMap((row) => row.cells.filter((cell) => cell !== null)));

describe.each(["rnn", "gru", "lstm", "rnn-batch"] as const)("a worksheet of %s", (name) => {
  const shown = film(name);
  const grid = NetworkGrid.of(shown.trace)!;
  const make = (settings: Partial<Settings> = {}, notation = USUAL): Worksheet => worksheet(shown, grid, 0, { ...DEFAULT, ...settings }, notation);

  it("suits, and has a blank in its tables for each question", () => {
    expect(suits(grid)).toBe(true);
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
    expect(make({ kinds: ["gradient", "update"], count: 4 }).blanks.map(({ kind }) => kind).sort()).toEqual(["gradient", "gradient", "update", "update"]);
  });

  it("is written in TeX that can be read, with columns and with rows", () => {
    for (const notation of [USUAL, { product: "row", z: "renew" } as const]) {
      const sheet = make({ count: MOST_BLANKS }, notation);
      const heads = sheet.tables.flatMap((table) => [...table.heads, ...table.rows.map((row) => row.head)]).flatMap((text) => segments(text)).filter((piece) => piece.kind === "tex").map((piece) => piece.text);
      for (const tex of [...heads, ...sheet.blanks.flatMap(({ name, formula }) => [name, formula])]) expect(renderTex(tex, false)).not.toMatch(/merror|katex-error|#cc0000/);
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
    expect(readSettings({ kinds: ["loss", "nonsense"], count: 1e9, seed: -3, paper: "a0", key: "yes" })).toEqual({ kinds: ["loss"], count: MOST_BLANKS, seed: 0, paper: "a4", key: false });
    expect(readSettings({ kinds: [], count: "8", seed: 7, paper: "letter", key: true })).toEqual({ ...DEFAULT, seed: 7, paper: "letter", key: true });
  });

  it("a seed gives the same numbers everywhere", () => {
    const next = random(1);
    expect([next(), next(), next()].map((x) => x.toFixed(6))).toEqual(["0.627074", "0.002736", "0.527447"]);
  });
});
