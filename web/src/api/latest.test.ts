import { describe, expect, it } from "vitest";
import { Latest } from "./latest";

describe("Latest", () => {
  it("drops the answer of a request that a newer one has replaced, whichever comes first", async () => {
    const latest = new Latest();
    let answerFirst: (value: string) => void = () => undefined;
    let seen: AbortSignal | null = null;
    const first = latest.run((signal) => {
      seen = signal;
      return new Promise<string>((resolve) => (answerFirst = resolve));
    });
    const second = latest.run(async () => "second");
    answerFirst("first");
    expect(await second).toBe("second");
    expect(await first).toBeUndefined();
    expect(seen!.aborted).toBe(true);
  });

  it("swallows the error of a replaced request and passes on that of the current one", async () => {
    const latest = new Latest();
    const first = latest.run(
      (signal) => new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")))),
    );
    const second = latest.run(async () => {
      throw new Error("really wrong");
    });
    expect(await first).toBeUndefined();
    await expect(second).rejects.toThrow("really wrong");
  });
});
