import { describe, expect, it } from "vitest";
import { laneMark } from "./lane";

describe("a gradient lane", () => {
  it("is a bar from the middle to the side of its sign, in proportion", () => {
    expect(laneMark(0.5, 2, 40)).toEqual({ kind: "bar", from: 0, width: 10 });
    expect(laneMark(-0.5, 2, 40)).toEqual({ kind: "bar", from: -10, width: 10 });
    expect(laneMark(9, 2, 40)).toEqual({ kind: "bar", from: 0, width: 40 });
  });

  it("says in words what is under a pixel, on its side, or in the middle of a narrow lane", () => {
    expect(laneMark(-0.003, 2, 35)).toEqual({ kind: "words", text: "−3·10⁻³", side: "left" });
    expect(laneMark(0.003, 2, 35)).toMatchObject({ side: "right" });
    for (const half of [25, 31]) expect(laneMark(0.003, 2, half)).toMatchObject({ side: "middle" });
  });

  it("tells exact zero, nothing yet, and what is no number from each other", () => {
    expect([laneMark(0, 2, 40), laneMark(-0, 2, 40), laneMark(null, 2, 40), laneMark(NaN, 2, 40), laneMark(Infinity, 2, 40)].map((mark) => mark.kind)).toEqual([
      "zero", "zero", "empty", "hatch", "hatch",
    ]);
  });
});
