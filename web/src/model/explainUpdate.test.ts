import { describe, expect, it } from "vitest";
import { explain } from "./explain";
import { film } from "./fixtures";
import { NetworkGrid } from "./network";
import { Tensor } from "./trace";

/** What is said of the first weight of W_hh after an update with these terms. */
function said(terms: Record<string, number>) {
  const shown = film("rnn");
  const { node } = NetworkGrid.of(shown.trace)!.parameter("weight_hh_l0")!;
  const all = shown.update(node)!.terms;
  for (const [name, value] of Object.entries(terms)) {
    const tensor = all.get(name)!;
    all.set(name, new Tensor(tensor.shape, Float64Array.from({ length: tensor.size }, () => value)));
  }
  return explain(shown, { kind: "update", node, index: [0, 0] }, shown.length, 0);
}

describe("an update that is not finite", () => {
  it("says that the gradient points nowhere, not that it is positive", () => {
    const e = said({ gradient: NaN, clipped: NaN, adaptive_step: NaN, new: NaN });
    expect([e.sentence.key, e.sentence.params, e.note]).toEqual(["why.say.update_lost", { gradient: "NaN", fresh: "NaN" }, null]);
  });

  it("tells an overflow of the step from it, and a weight that was lost before", () => {
    expect(said({ adaptive_step: -Infinity, new: -Infinity }).sentence.key).toBe("why.say.update_overflows");
    expect(said({ old: NaN, gradient: NaN, adaptive_step: NaN, new: NaN }).sentence.key).toBe("why.say.update_lost_before");
    expect(said({}).sentence.key).toMatch(/adamw_/);
  });
});
