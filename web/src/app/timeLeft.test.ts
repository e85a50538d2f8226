import { describe, expect, it } from "vitest";
import { secondsLeft, timeLeft } from "./timeLeft";

describe("the time that is left", () => {
  it("follows from the pace, once there is one", () => {
    expect(secondsLeft(0.25, 10)).toBe(30);
    expect(secondsLeft(1, 10)).toBe(0);
    expect([secondsLeft(null, 10), secondsLeft(0, 10), secondsLeft(0.5, 0.4)]).toEqual([null, null, null]);
  });

  it("is told in seconds, and in minutes where it is long", () => {
    expect(timeLeft(0.2)).toEqual(["state.left", { seconds: 1 }]);
    expect(timeLeft(89.4)).toEqual(["state.left", { seconds: 89 }]);
    expect(timeLeft(150)).toEqual(["state.left_minutes", { minutes: 3 }]);
    expect(timeLeft(9000)).toEqual(["state.left_hours", { hours: 2.5 }]);
  });
});
