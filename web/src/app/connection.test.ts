// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { retryAfter } from "../api/problem";
import { Link } from "./connection.svelte";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server that answers the probe when `there.now` says so. */
function made(): { link: Link; there: { now: boolean; asked: number } } {
  const there = { now: false, asked: 0 };
  return { link: new Link(async () => (there.asked++, there.now)), there };
}

describe("the connection", () => {
  it("looks for a lost server less and less often, and tells all that wait when it is back", async () => {
    const { link, there } = made();
    link.lost();
    expect(link.away).toBe(true);
    const waiting = [link.back(), link.back()];
    await vi.advanceTimersByTimeAsync(4000);
    expect(there.asked).toBe(3); // after 0.5, 1.5 and 3.5 s
    there.now = true;
    await vi.advanceTimersByTimeAsync(4000);
    expect(await Promise.all(waiting)).toEqual([true, true]);
    expect([link.status, link.returns]).toEqual(["fine", 1]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(there.asked).toBe(4);
  });

  it("lets a request wait no longer than its patience", async () => {
    const { link } = made();
    link.lost();
    const waiting = link.back(null, 2000);
    await vi.advanceTimersByTimeAsync(2000);
    expect(await waiting).toBe(false);
  });

  it("does not wait for what was given up", async () => {
    const { link } = made();
    link.lost();
    const given = new AbortController();
    const waiting = link.back(given.signal).catch((error: unknown) => error);
    given.abort();
    expect(await waiting).toMatchObject({ name: "AbortError" });
  });

  it("believes the server more than the machine, which may be its own", async () => {
    const { link, there } = made();
    there.now = true;
    window.dispatchEvent(new Event("offline"));
    await vi.advanceTimersByTimeAsync(0);
    expect(link.status).toBe("fine");
    there.now = false;
    window.dispatchEvent(new Event("offline"));
    await vi.advanceTimersByTimeAsync(0);
    expect(link.away).toBe(true);
  });

  it("is asked at once on demand", async () => {
    const { link, there } = made();
    link.lost();
    there.now = true;
    link.look();
    await vi.advanceTimersByTimeAsync(0);
    expect(link.status).toBe("fine");
  });

  it("waits as long as a busy server says, and not for one that says minutes", async () => {
    const { link } = made();
    let over = false;
    const waiting = link.putOff(3).then((worth) => ((over = true), worth));
    expect(link.status).toBe("busy");
    await vi.advanceTimersByTimeAsync(2900);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(await waiting).toBe(true);
    expect(link.status).toBe("fine");
    expect(await link.putOff(3600)).toBe(false);
  });
});

describe("Retry-After", () => {
  it("is seconds or a date", () => {
    expect(retryAfter("7")).toBe(7);
    expect(retryAfter("Thu, 01 Jan 1970 00:00:30 GMT", 10_000)).toBe(20);
    expect(retryAfter("Thu, 01 Jan 1970 00:00:30 GMT", 90_000)).toBe(0);
    expect([retryAfter(null), retryAfter(""), retryAfter("soon")]).toEqual([null, null, null]);
  });
});
