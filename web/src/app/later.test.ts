// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { connection, Link } from "./connection.svelte";
import { Part } from "./later.svelte";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("asks again for a part when the server is back", async () => {
  let there = false;
  const fetched = vi.fn(async () => (there ? { default: "it" } : Promise.reject(new TypeError("Failed to fetch"))));
  vi.spyOn(connection, "missed").mockImplementation(async () => connection.lost());
  const part = new Part(fetched);
  await part.load();
  expect([part.here, part.failed]).toEqual([null, true]);
  await vi.advanceTimersByTimeAsync(0);
  expect(fetched).toHaveBeenCalledTimes(1);
  there = true;
  connection.answered();
  await vi.advanceTimersByTimeAsync(0);
  expect([part.here, part.failed, fetched.mock.calls.length]).toEqual(["it", false, 2]);
});

it("tells a new version of the page from a server that does not answer", async () => {
  let answers = true;
  const link = new Link(async () => answers, async () => true);
  await link.missed();
  expect([link.outdated, link.away]).toEqual([true, false]);
  answers = false;
  const other = new Link(async () => answers, async () => true);
  await other.missed();
  expect([other.outdated, other.away]).toEqual([false, true]);
});
