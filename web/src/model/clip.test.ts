import { describe, expect, it } from "vitest";
import { outcomeOf } from "./clip";

const clip = { event: 0, maxNorm: 1 };

describe("what clipping comes to", () => {
  it("is told by the norm and the coefficient, of an overflow and of what is no number too", () => {
    expect(outcomeOf({ ...clip, norm: 4, coefficient: 0.25 })).toBe("clipped");
    expect(outcomeOf({ ...clip, norm: 0.4, coefficient: 1 })).toBe("not_clipped");
    expect(outcomeOf({ ...clip, norm: Infinity, coefficient: 0 })).toBe("nothing");
    expect(outcomeOf({ ...clip, norm: NaN, coefficient: NaN })).toBe("no_number");
  });
});
