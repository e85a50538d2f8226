import { describe, expect, it } from "vitest";
import rnn from "../../model/fixtures/rnn.json";
import { Film } from "../../model/film";
import { NetworkGrid } from "../../model/network";
import { Trace } from "../../model/trace";
import { answerAfter, answerBefore } from "./answer";

describe("the answers of the network", () => {
  const film = new Film(Trace.from(rnn));
  const grid = NetworkGrid.of(film.trace)!;
  const p = grid.columns.at(-1)!.probe!.p!;

  it("are not there before they are computed", () => {
    expect(answerBefore(film, grid, 0, 0)).toBeNull();
    expect(answerAfter(film, grid, 0, film.length - 1)).toBeNull();
  });

  it("are the most probable class before and after the step", () => {
    for (const [answer, tensor] of [
      [answerBefore(film, grid, 0, film.length), film.trace.value(p)],
      [answerAfter(film, grid, 0, film.length), film.trace.after!.values.get(p)!],
    ] as const) {
      const probabilities = [...tensor.data];
      expect(answer).toEqual({ class: probabilities.indexOf(Math.max(...probabilities)), p: Math.max(...probabilities) });
    }
  });
});
