import { describe, expect, it } from "vitest";
import rnn from "../model/fixtures/rnn.json";
import scalar from "../model/fixtures/scalar.json";
import { explain } from "../model/explain";
import { Film } from "../model/film";
import { NetworkGrid } from "../model/network";
import { Trace } from "../model/trace";
import { guide } from "./guide";

describe("what is explained while nothing is chosen", () => {
  const film = new Film(Trace.from(rnn));
  const grid = NetworkGrid.of(film.trace)!;
  const at = (phase: string): number => film.phases.find((span) => span.phase === phase)!.to;

  it("is nothing before anything is computed", () => {
    expect(guide(film, grid, 0, 0)).toBeNull();
  });

  it("is the strongest element of the latest hidden state on the way forward", () => {
    const target = guide(film, grid, at("forward"), 0)!;
    const last = grid.columns.at(-1)!;
    expect(target).toMatchObject({ kind: "value", node: last.h });
    const row = Array.from(film.trace.value(last.h).data).slice(0, grid.hidden);
    expect(Math.abs(row[target.index[1]!]!)).toBe(Math.max(...row.map(Math.abs)));
  });

  it("is the strongest gradient of the recurrent weight on the way back, then its update", () => {
    const weight = grid.parameters.find((parameter) => parameter.name === "rnn.weight_hh_l0")!.node;
    const backward = guide(film, grid, at("backward"), 0)!;
    expect(backward).toMatchObject({ kind: "gradient", node: weight });
    const gradient = film.trace.gradient(weight)!;
    expect(Math.abs(gradient.at(backward.index))).toBe(Math.max(...Array.from(gradient.data).map(Math.abs)));
    // one weight's ladder from the first update on, whichever parameter that moves
    for (let m = at("backward"); m <= film.length; m++) expect(guide(film, grid, m, 0)).toEqual({ ...backward, kind: m > film.moving ? "update" : "gradient" });
    expect(explain(film, guide(film, grid, film.moving + 1, 0)!, film.moving + 1, 0).ladder).not.toBeNull();
  });

  it("is the state of an opened cell, and once it has one its gradient; the update is shown when the film moves on", () => {
    const { h } = grid.column(2)!;
    const opened = { t: 2, still: true };
    expect(guide(film, grid, at("forward"), 0, opened)).toMatchObject({ kind: "value", node: h });
    expect(guide(film, grid, film.arrives(h) - 1, 0, opened)).toMatchObject({ kind: "value", node: h });
    const gradient = guide(film, grid, film.arrives(h), 0, opened)!;
    expect(gradient).toMatchObject({ kind: "gradient", node: h });
    expect(guide(film, grid, film.length, 0, opened)).toEqual(gradient);
    const last = Array.from(film.trace.gradient(grid.columns.at(-1)!.h)!.data, Math.abs);
    expect(last[gradient.index[1]!]).toBe(Math.max(...last)); // of the same unit in every step
    expect(guide(film, grid, film.length, 0, { ...opened, t: 1 })!.index).toEqual(gradient.index);
    expect(guide(film, grid, film.length, 0, { ...opened, still: false })).toMatchObject({ kind: "update" });
    expect(guide(film, grid, film.knownSince(h) - 1, 0, opened)).toEqual(guide(film, grid, film.knownSince(h) - 1, 0));
  });

  it("follows the events of an expression", () => {
    const expression = new Film(Trace.from(scalar));
    expect(guide(expression, null, 0, 0)).toBeNull();
    expect(guide(expression, null, 1, 0)).toMatchObject({ kind: "value", node: expression.trace.events.node(0) });
    expect(guide(expression, null, expression.length, 0)).toMatchObject({ kind: "gradient" });
  });
});
