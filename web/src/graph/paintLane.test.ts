import { describe, expect, it } from "vitest";
import { paintLane } from "./paintLane";

/** What is done to a canvas, in order. */
function painted(value: number, words: boolean): string[] {
  const done: string[] = [];
  const context = new Proxy({} as Record<string, unknown>, { get: (own, name: string) => own[name] ?? ((...given: unknown[]) => done.push([name, ...given.filter((one) => typeof one === "string")].join(" "))) });
  paintLane(context as unknown as CanvasRenderingContext2D, value, 1, { middle: 32, top: 0, width: 64, height: 12 }, "plum", words, "sans-serif");
  return done;
}

describe("a gradient lane on a canvas", () => {
  it("tells a bar, a number under a pixel, zero and what is no number from each other", () => {
    expect(painted(0.5, true)).toEqual(["fillRect"]);
    expect(painted(1e-4, true)).toEqual(["fillText +1·10⁻⁴"]);
    expect(painted(1e-4, false)).toEqual(["beginPath", "arc", "fill"]);
    expect(painted(0, true)).toEqual(["fillText 0"]);
    expect(painted(0, false)).toEqual(["beginPath", "arc", "stroke"]);
    const hatched = painted(NaN, true);
    expect([hatched[0], hatched.at(-1), hatched.includes("lineTo")]).toEqual(["beginPath", "stroke", true]);
  });
});
