// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { baselineText, names } from "./learnt";

const baseline = (metric: "accuracy" | "rmse", value: number) => ({ baseline: { name: "last_value", metric, value } as const });

describe("what would be learnt", () => {
  it("has its baseline as per cent, or in the data's unit", () => {
    expect(baselineText(baseline("accuracy", 0.5333), "en")).toBe("53.3 %");
    expect(baselineText(baseline("rmse", 3.14159), "en")).toBe("3.14");
    expect(baselineText(baseline("rmse", 53234.4), "en")).toBe("53,200");
    expect(baselineText(baseline("rmse", 0.000123456), "zh")).toBe("0.000123");
  });

  it("names a few classes", () => {
    expect(names(["even", "odd"], "en")).toBe("even, odd");
    expect(names(Array.from({ length: 20 }, (_, i) => `c${i}`), "en")).toBe("c0, c1, c2, c3, c4, c5, c6, c7, …");
    expect(names(["问候", "告别"], "zh")).toBe("问候、告别");
  });
});
