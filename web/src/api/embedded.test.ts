import { afterEach, describe, expect, it, vi } from "vitest";
import { readEmbedded } from "./embedded";

const PROGRAM = { kind: "expression", expression: "w*x", inputs: { w: 2, x: [1, 2] }, wrt: ["w"] };
const SAVED = { page: "expression", program: PROGRAM, answers: { "/opening": { id: "sha256:1" }, "/tasks": { items: [] } }, figures: { update: { en: { data: [], layout: {} }, zh: { data: [], layout: {} } } } };

function page(saved: unknown): Pick<Document, "getElementById"> {
  return { getElementById: (id: string) => (id === "retrograd-film" ? ({ textContent: JSON.stringify(saved) } as HTMLElement) : null) };
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

describe("a saved film", () => {
  it("is nothing in a page of a server", () => {
    expect(readEmbedded({ getElementById: () => null })).toBeNull();
  });

  it("answers what came with it, and says of all else that a server is needed", () => {
    const film = readEmbedded(page(SAVED))!;
    expect(film.get("/opening")).toEqual({ id: "sha256:1" });
    expect(film.post("/traces", { program: PROGRAM })).toEqual({ id: "sha256:1" });
    for (const ask of [() => film.get("/runs"), () => film.get("__proto__"), () => film.post("/traces", { program: { ...PROGRAM, wrt: [] } }), () => film.post("/runs", {})]) {
      expect(ask).toThrow(expect.objectContaining({ title: "saved_film", offline: false }));
    }
  });

  it("has its figures in both languages", () => {
    expect(Object.keys(readEmbedded(page(SAVED))!.figures.update!)).toEqual(["en", "zh"]);
  });

  it("of an imported graph is shown whatever is asked", () => {
    const film = readEmbedded(page({ ...SAVED, program: null }))!;
    expect(film.post("/traces", { program: PROGRAM })).toEqual({ id: "sha256:1" });
    expect(() => film.post("/runs", {})).toThrow(expect.objectContaining({ title: "saved_film" }));
  });

  it("takes the place of the server in the client, which asks for nothing", async () => {
    const fetch = vi.fn();
    vi.stubGlobal("fetch", fetch);
    vi.stubGlobal("document", { ...page(SAVED), documentElement: { dataset: {} } });
    vi.stubGlobal("navigator", { language: "en" });
    vi.stubGlobal("matchMedia", () => ({ matches: false }));
    const api = await import("./client");
    expect(await api.opening()).toEqual({ id: "sha256:1" });
    expect(await api.tasks()).toEqual([]);
    expect(await api.trace(PROGRAM as Parameters<typeof api.trace>[0])).toEqual({ id: "sha256:1" });
    await expect((await import("./late")).deleteRun("r")).rejects.toMatchObject({ title: "saved_film" });
    await expect(api.check("sha256:1", 0, [])).rejects.toMatchObject({ title: "saved_film" });
    expect(fetch).not.toHaveBeenCalled();
  });
});
