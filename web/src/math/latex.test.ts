import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { symbol, toLatex } from "./latex";

interface Case {
  tree: unknown;
  symbols: Record<string, string>;
  numbers: Record<string, number | string>;
  latex: string;
}

const cases = JSON.parse(readFileSync(join(import.meta.dirname, "../../../tests/fixtures/latex.json"), "utf8")) as Case[];

describe("toLatex", () => {
  it.each(cases.map((c) => [JSON.stringify([c.tree, c.symbols, c.numbers]), c] as const))("writes %s as the engine does", (_, c) => {
    const numbers = Object.fromEntries(Object.entries(c.numbers).map(([name, value]) => [name, Number(value)]));
    expect(toLatex(c.tree, c.symbols, numbers)).toBe(c.latex);
  });

  it("says what is no formula", () => {
    expect(() => toLatex(["nonsense", 1])).toThrow(/no formula tree/);
  });

  it("reads digits at a name's end as a subscript", () => {
    expect(symbol("x12")).toBe("x_{12}");
  });
});
