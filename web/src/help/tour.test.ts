// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { catalogues } from "../i18n/catalogues";
import { USUAL, type Notation } from "../math/notation";
import { renderTex } from "../math/render";
import { film } from "../model/fixtures";
import { NetworkGrid, norm, gradientSlice } from "../model/network";
import { GROUPS, KEYS, matches } from "./glossary";
import { entryOf } from "./terms";
import { tourOf } from "./tour";
import "./words";

describe.each(["rnn", "lstm", "gru", "rnn-batch", "stack"] as const)("the tour of %s", (name) => {
  const shown = film(name);
  const grid = NetworkGrid.of(shown.trace)!;
  const stops = tourOf(shown, grid, 0);

  it("goes forward, to the loss, back, to the sum, to the update, and forward again, never back in time", () => {
    expect(stops.map((stop) => stop.name)).toEqual(["forward", "loss", "backward", "sum", "update", ...(shown.trace.after ? ["again"] : [])]);
    const moments = stops.map(({ at }) => (at === "after" ? shown.length + 1 : at));
    expect([...moments].sort((one, other) => one - other)).toEqual(moments);
    expect(shown.phaseAt(moments[0]!)).toBe("forward");
    expect(shown.phaseAt(moments[1]!)).toBe("loss");
    expect(shown.phaseAt(moments[2]!)).toBe("backward");
    expect(shown.phaseAt(moments[4]!)).toBe("update");
  });

  it("has something to say at each in both languages, and says this film's own numbers", () => {
    for (const stop of stops) for (const lang of ["en", "zh"] as const) {
      expect(catalogues[lang][stop.key]).toBeTypeOf("string");
      for (const [, asked] of catalogues[lang][stop.key]!.replace(/\$[^$]*\$/g, "").matchAll(/\{(\w+)\}/g)) expect(Object.keys(stop.params)).toContain(asked);
    }
    const loss = stops.find((stop) => stop.name === "loss")!;
    expect(Number(loss.params.loss)).toBeCloseTo(shown.trace.value(grid.loss).flat(0), 4);
    const back = stops.find((stop) => stop.name === "backward")!;
    if ("first" in back.params) expect(Number(back.params.first)).toBeCloseTo(norm(gradientSlice(shown.trace.gradient(grid.column(1)!.h)!, 0)), 3);
  });
});

describe("the glossary", () => {
  const entries = GROUPS.flatMap((group) => group.entries);

  it("names each entry once, with words for it in both languages", () => {
    expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
    for (const { id } of entries) for (const lang of ["en", "zh"] as const) for (const part of ["term", "about"]) expect(catalogues[lang][`help.${part}.${id}`]).toBeTypeOf("string");
    for (const { id } of KEYS) expect(catalogues.zh[`help.key.${id}`]).toBeTypeOf("string");
    const said = Object.keys(catalogues.en).filter((key) => key.startsWith("help.term."));
    expect(said.sort()).toEqual(entries.map(({ id }) => `help.term.${id}`).sort());
  });

  it("has every entry that the inspector leads to", () => {
    const kinds = Object.keys(catalogues.en).filter((key) => key.startsWith("why.kind."));
    const led = kinds.flatMap((kind) => ["rnn", "lstm", "gru"].flatMap((cell) => ["sgd", "adamw", "other"].map((optimizer) => entryOf(kind, cell, optimizer))));
    expect(new Set(led.filter((id) => id !== null)).size).toBeGreaterThan(10);
    for (const id of led) if (id !== null) expect(entries.map((entry) => entry.id)).toContain(id);
    expect(kinds).toEqual(expect.arrayContaining(["why.kind.hidden", "why.kind.shared_weight", "why.kind.update"]));
  });

  it("can be written in every notation", () => {
    const notations: Notation[] = [USUAL, { product: "row", z: "keep" }, { product: "column", z: "renew" }, { product: "row", z: "renew" }];
    for (const notation of notations) for (const { id, tex } of entries) for (const line of tex(notation)) expect([id, renderTex(line, true).includes("tex-unread")]).toEqual([id, false]);
    const bptt = entries.find(({ id }) => id === "bptt")!;
    expect(bptt.tex(USUAL)[0]).not.toBe(bptt.tex(notations[1]!)[0]);
    const gru = entries.find(({ id }) => id === "gru")!;
    expect(gru.tex(USUAL).at(-1)).not.toBe(gru.tex(notations[2]!).at(-1));
  });

  it("finds by all words that are typed, in any case", () => {
    expect(matches("cross ENTROPY", "Cross-entropy: for classes")).toBe(true);
    expect(matches("cross wave", "Cross-entropy: for classes")).toBe(false);
    expect(matches("", "anything")).toBe(true);
    expect(matches("梯度", "梯度裁剪")).toBe(true);
  });
});
