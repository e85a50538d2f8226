import { describe, expect, it } from "vitest";
import { secondsLeft, share } from "./progress";

describe("progress", () => {
  it("counts from where the steps were asked for", () => {
    expect(share(100, 150, 200)).toBe(0.5);
    expect(share(100, 100, 200)).toBe(0);
    expect(share(200, 200, 200)).toBe(1);
  });

  it("knows the time left once there is a pace", () => {
    expect(secondsLeft([], 500)).toBeNull();
    expect(secondsLeft([{ at: 0, step: 10 }, { at: 400, step: 10 }], 500)).toBeNull();
    expect(secondsLeft([{ at: 0, step: 0 }, { at: 500, step: 50 }, { at: 1000, step: 100 }], 500)).toBe(4);
  });
});
