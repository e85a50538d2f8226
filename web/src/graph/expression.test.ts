import { describe, expect, it } from "vitest";
import { EXAMPLES, formatInput, inputNames, parseInput } from "./expression";

describe("the formula editor", () => {
  it("finds the inputs and leaves functions and exponents of ten alone", () => {
    expect(inputNames("tanh(w*x + b)")).toEqual(["w", "x", "b"]);
    expect(inputNames("x*x + 1e3*x_1 - exp (x)")).toEqual(["x", "x_1"]);
    expect(inputNames("σ + α2*tanh(σ)")).toEqual(["σ", "α2"]);
    expect(inputNames("")).toEqual([]);
  });

  it.each([
    ["0.5", 0.5],
    ["-.5", -0.5],
    ["\u22122", -2],
    ["1, 2", [1, 2]],
    ["[1, 2]", [1, 2]],
    ["[[1, 0], [0, 1]]", [[1, 0], [0, 1]]],
    ["", undefined],
    ["[]", undefined],
    ["two", undefined],
    ["[1, null]", undefined],
    ["1e999", undefined],
  ])("reads %j as %j", (text, expected) => {
    expect(parseInput(text)).toEqual(expected);
  });

  it("writes what it can read again", () => {
    expect(formatInput([[1, -2.5], [0, 1]])).toBe("[[1, -2.5], [0, 1]]");
    expect(parseInput(formatInput([1, 2, 3]))).toEqual([1, 2, 3]);
  });

  it("has examples that name all their inputs", () => {
    for (const example of EXAMPLES) {
      expect(Object.keys(example.inputs).sort()).toEqual(inputNames(example.expression).sort());
      expect(example.wrt.every((name) => name in example.inputs)).toBe(true);
    }
  });
});
