// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from "vitest";
import { preferences } from "../app/preferences.svelte";
import { Session } from "../app/session.svelte";
import { USUAL } from "../math/notation";
import { document as fixture } from "../model/fixtures";
import { Trace } from "../model/trace";
import { describe } from "./words";
import { editing } from "./editing.svelte";

afterEach(() => {
  preferences.lendNotation(USUAL);
  editing.now = null;
  vi.unstubAllGlobals();
});

it("a GRU's gate is typed over, and told, as it is shown", () => {
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
  const session = new Session();
  session.load(Trace.from(fixture("gru")));
  const trace = session.trace!;
  const [z, h] = [trace.nodes.find((node) => node.label === "z")!, trace.nodes.find((node) => node.label === "h")!];
  const shown = (path: string): number | null => {
    editing.now = { session, place: { path, index: [0, 1] }, at: null, again: false };
    return editing.value;
  };
  const told = (): unknown => describe({ edits: [0], letter: null }, [{ node: z.path, index: [0, 1], value: 0.25 }], trace, trace);
  const stored = trace.value(z.id).at([0, 1]);
  expect([shown(z.path), shown(h.path)]).toEqual([stored, trace.value(h.id).at([0, 1])]);
  expect(told()).toMatchObject({ from: stored, to: 0.25 });
  preferences.lendNotation({ product: "row", z: "renew" });
  expect([shown(z.path), shown(h.path)]).toEqual([1 - stored, trace.value(h.id).at([0, 1])]);
  expect(told()).toMatchObject({ from: 1 - stored, to: 0.75 });
});
