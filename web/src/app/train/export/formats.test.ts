// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { exportAddress, FORMATS, hasWeights } from "./formats";

describe("a run as files", () => {
  it("is fetched from the server, weights after the step that is chosen", () => {
    expect(exportAddress("r_1", "safetensors", "best")).toBe("api/v1/runs/r_1/export?format=safetensors&step=best");
    expect(exportAddress("r/1", "zip", "last")).toBe("api/v1/runs/r%2F1/export?format=zip&step=last");
    expect(FORMATS.filter(hasWeights)).toEqual(["safetensors", "zip"]);
  });
});
