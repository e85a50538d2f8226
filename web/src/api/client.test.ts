// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import * as api from "./client";
import { Problem } from "./problem";

afterEach(() => vi.unstubAllGlobals());

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

  it("says when nobody answers", async () => {
    vi.stubGlobal("fetch", vi.fn(async () => Promise.reject(new TypeError("Failed to fetch"))));
    const problem = await api.tasks().catch((error: unknown) => error);
    expect(problem).toMatchObject({ offline: true, title: "offline" });
  });
});
