import { describe, expect, it } from "vitest";
import { parameterTex, stackOfNames } from "./stack";

describe("the marks of layers and directions", () => {
  it("are those that the parameters' names ask for", () => {
    const one = ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "head.weight"];
    expect(stackOfNames(one)).toEqual({ layers: 1, bidirectional: false });
    expect(stackOfNames([...one, "rnn.weight_hh_l0_reverse", "rnn.weight_hh_l1"])).toEqual({ layers: 2, bidirectional: true });
    expect(stackOfNames([])).toEqual({ layers: 1, bidirectional: false });
  });

  it("stand at a parameter's symbol where there is more than one layer or direction", () => {
    const [one, two] = [stackOfNames(["rnn.weight_hh_l0"]), stackOfNames(["rnn.weight_hh_l0", "rnn.weight_hh_l1_reverse"])];
    expect(parameterTex("rnn.weight_hh_l0", one)).toBe("W_{\\mathrm{hh}}");
    expect(parameterTex("rnn.weight_hh_l1_reverse", two)).toBe("\\overleftarrow{W}^{[2]}_{\\mathrm{hh}}");
    expect(parameterTex("embedding.weight", one)).toBeNull();
  });
});
