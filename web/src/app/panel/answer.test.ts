import { describe, expect, it } from "vitest";
import rnn from "../../model/fixtures/rnn.json";
import { Film } from "../../model/film";
import { document } from "../../model/fixtures";
import { NetworkGrid } from "../../model/network";
import { Trace } from "../../model/trace";
import { answerAfter, answerBefore, rightAnswer } from "./answer";

describe("the answers of the network", () => {
  const film = new Film(Trace.from(rnn));
  const grid = NetworkGrid.of(film.trace)!;
  const p = grid.columns.at(-1)!.probe!.p!;

  it("are told apart from the right one: a class, or what the last step should predict", () => {
    expect(rightAnswer(grid, 0)).toBe(grid.examples[0]!.target);
    const raw = document("lstm");
    const example = (raw.batch as { examples: { target: number[] | number[][] }[] }).examples[0]!;
    const last = (example.target as number[]).at(-1)!;
    for (const target of [example.target, (example.target as number[]).map((value) => [value])]) {
      example.target = target as number[] | number[][]; // one number a step, or a list of them a step, as the server writes it
      expect(rightAnswer(NetworkGrid.of(Trace.from(raw))!, 0)).toBe(last);
    }
  });

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
