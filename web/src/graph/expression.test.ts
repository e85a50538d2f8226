import { describe, expect, it } from "vitest";
import { cutAt, EXAMPLES, formatInput, inputNames, parseInput } from "./expression";

describe("the formula editor", () => {
  it("finds the inputs and leaves functions and exponents of ten alone", () => {
    expect(inputNames("tanh(w*x + b)")).toEqual(["w", "x", "b"]);
    expect(inputNames("x*x + 1e3*x_1 - exp (x)")).toEqual(["x", "x_1"]);
    expect(inputNames("σ + α2*tanh(σ)")).toEqual(["σ", "α2"]);
    expect(inputNames("")).toEqual([]);
  });

  it("takes no name that a line defines for an input, wherever it is used", () => {
    expect(inputNames("a = w*x; h = tanh(a + b); h*h")).toEqual(["w", "x", "b"]);
    expect(inputNames("a = w*x\nh = tanh(a + b) # not this\n\n h*h")).toEqual(["w", "x", "b"]);
    expect(inputNames("h = tanh(sum(x, axis=0, keepdim=True))")).toEqual(["x"]);
    expect(inputNames("a == b")).toEqual(["a", "b"]);
  });

  it("finds a place by its line and column", () => {
    expect(cutAt("tanh(w) + no(w)", 1, 11)).toEqual({ before: "tanh(w) + ", at: "n", after: "o(w)" });
    expect(cutAt("a = w*x\nh = no(a)\nh", 2, 5)).toEqual({ before: "a = w*x\nh = ", at: "n", after: "o(a)\nh" });
    expect(cutAt("a =\na", 1, 4)).toEqual({ before: "a =", at: "\u00a0", after: "\na" });
    expect(cutAt("\u{1d6fc}*\u{1d6fd}+?", 1, 5)).toEqual({ before: "\u{1d6fc}*\u{1d6fd}+", at: "?", after: "" });
    expect(cutAt("a +", 1, 4)).toEqual({ before: "a +", at: "\u00a0", after: "" });
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
