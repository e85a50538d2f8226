import { describe, expect, it } from "vitest";
import { paths, reading } from "./predictions";

const name = (index: number): string => "abc"[index] ?? "?";

describe("a prediction", () => {
  it("of a class is right or wrong", () => {
    expect(reading(1, 1, 0.8, name)).toEqual({ kind: "class", target: "b", prediction: "b", right: true, p: 0.8 });
    expect(reading(1, 2, null, name)).toMatchObject({ prediction: "c", right: false, p: null });
  });

  it("of a class at every step is read letter by letter", () => {
    expect(reading([0, 1, 2], [0, 2, 2], [0.5, 0.5, 0.5], name)).toEqual({
      kind: "classes", right: 2,
      letters: [{ target: "a", prediction: "a", right: true }, { target: "b", prediction: "c", right: false }, { target: "c", prediction: "c", right: true }],
    });
  });

  it("of a number has an error, of a series a curve", () => {
    expect(reading([1.5], [1.25], undefined, null)).toEqual({ kind: "number", target: "1.500", prediction: "1.250", error: "\u22120.250" });
    expect(reading([[1], [2]], [[1.5], [NaN]], null, null)).toEqual({ kind: "series", target: [1, 2], prediction: [1.5, NaN] });
  });
});

describe("paths of series", () => {
  it("share a scale and have gaps", () => {
    expect(paths([[0, 10], [5, 5]], 100, 22)).toEqual(["M0.0 21.0L100.0 1.0", "M0.0 11.0L100.0 11.0"]);
    expect(paths([[1, NaN, 2]], 100, 22)[0]!.match(/M/g)).toHaveLength(2);
    expect(paths([[3, 3]], 100, 22)).toEqual(["M0.0 11.0L100.0 11.0"]);
  });
});
