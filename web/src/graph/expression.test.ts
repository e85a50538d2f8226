import { describe, expect, it } from "vitest";
import { EXAMPLE_GROUPS } from "./examples";
import { formatInput, inputNames, parseInput } from "./expression";

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
    const examples = EXAMPLE_GROUPS.flatMap((group) => group.examples);
    for (const { program } of examples) {
      expect(Object.keys(program.inputs).sort()).toEqual(inputNames(program.expression).sort());
      expect(program.wrt.every((name) => name in program.inputs)).toBe(true);
    }
    expect(new Set(examples.map((example) => example.id)).size).toBe(examples.length);
  });
});
