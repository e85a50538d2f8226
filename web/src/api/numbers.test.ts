import { describe, expect, it } from "vitest";
import { decoded } from "./numbers";

describe("decoded", () => {
  it("makes numbers of the strings that stand for some, and leaves all else as it is", () => {
    const answer = { loss: [1.5, "NaN", "Infinity"], validation: [{ step: 3, loss: "-Infinity" }], error: null, id: "r_NaN", status: "failed" };
    expect(decoded(answer)).toEqual({ loss: [1.5, NaN, Infinity], validation: [{ step: 3, loss: -Infinity }], error: null, id: "r_NaN", status: "failed" });
  });
});
