import { describe, expect, it } from "vitest";
import type { RunStep } from "../api/types";
import { neighbours, standsFor } from "./batch";

const step = (whole: boolean, fits: boolean[]): RunStep => ({
  schema_version: 1, run: "r_1", step: 3,
  whole: { nodes: 1, elements: 1, bytes: 1, fits: whole },
  examples: fits.map((fit, i) => ({ index: 10 * i + 7, length: 2, text: "", fits: fit })),
});

describe("what stands for a batch", () => {
  it("is itself where it can be shown, else its first example that can be, else nothing", () => {
    expect(standsFor(step(true, [true, true]))).toBe("whole");
    expect(standsFor(step(false, [false, true, true]))).toBe(17);
    expect(standsFor(step(false, [false]))).toBe("nothing");
  });

  it("is stepped through, around its end, without what cannot be shown", () => {
    expect(neighbours(step(false, [true, false, true, true]), 7)).toEqual({ at: 1, count: 3, before: 37, after: 27 });
    expect(neighbours(step(false, [true, false, true, true]), 37)).toEqual({ at: 3, count: 3, before: 27, after: 7 });
    expect(neighbours(step(false, [true, true]), 8)).toBeNull();
  });
});
