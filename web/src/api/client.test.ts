// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { connection } from "../app/connection.svelte";
import * as api from "./client";
import * as late from "./late";
import { Problem } from "./problem";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  connection.answered(); // whatever a test has done to it
});

function answer(body: unknown, status: number, type = "application/json"): void {
  vi.stubGlobal("fetch", vi.fn(async () => new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } })));
}

describe("client", () => {
  it("asks relative addresses only", async () => {
    answer({ items: [], next: null }, 200);
    await api.examples("surnames", { limit: 20, startsWith: "st o" });
    expect(vi.mocked(fetch).mock.calls[0]![0]).toBe("api/v1/tasks/surnames/examples?part=train&limit=20&starts_with=st+o");
  });

  it("throws the API's problem with its errors and columns", async () => {
    answer(
      { type: "about:blank", title: "Bad formula", status: 422, detail: "unknown name", request_id: "q", errors: [{ pointer: "/program/expression", detail: "unknown name", column: 6 }] },
      422,
      "application/problem+json",
    );
    const problem = await api.trace({ kind: "expression", expression: "tanh(w", inputs: {}, wrt: [] }).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ status: 422, detail: "unknown name", requestId: "q", errors: [{ column: 6 }], offline: false });
  });

  it("asks again for a while, and says when nobody answers", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", vi.fn(async () => Promise.reject(new TypeError("Failed to fetch"))));
    const problem = api.tasks().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await problem).toMatchObject({ offline: true, title: "offline" });
  });

  it("gives up what does not get through to a server that is there, and leaves it at that", async () => {
    vi.useFakeTimers();
    let asked = 0;
    vi.stubGlobal("fetch", vi.fn(async (address: string) => {
      if (address === "healthz") return new Response("{}");
      asked += 1;
      throw new TypeError("Failed to fetch");
    }));
    const problem = api.tasks().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await problem).toMatchObject({ offline: true });
    const returns = connection.returns;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([asked, connection.status, connection.returns]).toEqual([4, "fine", returns]);
  });

  it("sends once more what was lost, under the same key where it makes something", async () => {
    vi.useFakeTimers();
    const sent: RequestInit[] = [];
    vi.stubGlobal("fetch", vi.fn(async (address: string, init: RequestInit = {}) => {
      if (address === "healthz") return new Response("{}");
      sent.push(init);
      if (sent.length === 1) throw new TypeError("Failed to fetch");
      return new Response(JSON.stringify({ id: "k" }));
    }));
    const made = late.createLink("#/network");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await made).toBe("k");
    const keys = sent.map(({ headers }) => (headers as Record<string, string>)["Idempotency-Key"]);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toMatch(/^[0-9a-f-]{8,}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  it("waits as long as a busy server says", async () => {
    vi.useFakeTimers();
    let asked = 0;
    vi.stubGlobal("fetch", vi.fn(async () => (++asked === 1 ? new Response(JSON.stringify({ title: "busy" }), { status: 429, headers: { "Retry-After": "5" } }) : new Response(JSON.stringify({ items: [] })))));
    const list = api.tasks();
    await vi.advanceTimersByTimeAsync(4900);
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(await list).toEqual([]);
  });

  it("does not wait for ever for a server that is always busy", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", vi.fn(async () => new Response(JSON.stringify({ title: "busy" }), { status: 503, headers: { "Retry-After": "2" } })));
    const problem = api.tasks().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await problem).toMatchObject({ status: 503, retryAfter: 2 });
  });
});
