// @vitest-environment happy-dom
import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Session } from "../app/session.svelte";
import { document as fixture, FIXTURES } from "../model/fixtures";
import { Trace } from "../model/trace";
import { showView, viewOf } from "./moment";
import { NO_VIEW, readView, writeView, type View } from "./view";

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
});
afterEach(() => vi.unstubAllGlobals());

function open(name: (typeof FIXTURES)[number]): Session {
  const session = new Session();
  session.load(Trace.from(fixture(name)));
  return session;
}

/** Through the text of an address and back. */
function sent(view: View): View {
  const broken: string[] = [];
  const read = readView(new URLSearchParams(writeView(view)), broken);
  expect(broken).toEqual([]);
  return read;
}

describe("a moment", () => {
  it("is the same in another session, however the film stood and was looked at there", () => {
    for (const name of FIXTURES) {
      const [one, other] = [open(name), open(name)];
      for (const moment of [0, 1, Math.floor(one.film!.length / 2), one.film!.length]) {
        one.go(moment);
        one.setStride("event");
        one.tab = "gradient";
        one.select({ kind: "value", node: one.trace!.nodes.length - 1, index: one.trace!.nodes.at(-1)!.shape.map(() => 0) });
        one.focus = one.steps ? Math.min(2, one.steps) : null;
        other.last();
        expect(showView(other, sent(viewOf(one)))).toEqual([]);
        expect(viewOf(other)).toEqual(viewOf(one));
        expect([other.moment, other.selection, other.focus]).toEqual([moment, one.selection, one.focus]);
        one.select(null);
        one.focus = null;
        expect(showView(other, sent(viewOf(one)))).toEqual([]);
        expect([other.pinned, other.focus]).toEqual([false, null]);
      }
      flushSync();
    }
  });

  it("after the film is the forward pass with the new parameters", () => {
    const [one, other] = [open("rnn"), open("rnn")];
    one.last();
    expect(viewOf(one).at).toBe("after");
    expect(showView(other, sent(viewOf(one)))).toEqual([]);
    expect([other.after, other.afterStep]).toEqual([true, one.afterStep]);
  });

  it("of an answer is after the loss, with what the network answers chosen", () => {
    const session = open("rnn");
    expect(showView(session, sent({ ...NO_VIEW, at: "answer" }))).toEqual([]);
    expect([session.phase, session.pinned]).toEqual(["loss", true]);
    expect(session.selection).toMatchObject({ kind: "value", node: session.grid!.column(session.steps)!.probe!.p });
    expect(viewOf(session).at).toBe(session.moment); // the address goes on with the place that was found
    expect(showView(open("scalar"), { ...NO_VIEW, at: "answer" })).toEqual(["at"]);
  });

  it("has the example, the mean of all, and the scalar level", () => {
    const [one, other] = [open("rnn-batch"), open("rnn-batch")];
    one.example = 1;
    one.focus = 1;
    one.level = "scalar";
    expect(showView(other, sent(viewOf(one)))).toEqual([]);
    expect([other.example, other.level]).toEqual([1, "scalar"]);
    expect(showView(other, { ...NO_VIEW, row: "all" })).toEqual([]);
    expect(viewOf(other).row).toBe("all");
    expect(sent(viewOf(other)).row).toBe("all");
  });

  it("has the term of an update that is explained", () => {
    const [one, other] = [open("rnn"), open("rnn")];
    const node = one.trace!.node("rnn.weight_hh_l0").id;
    one.last();
    one.select({ kind: "update", node, index: [0, 2], term: "exp_avg_sq_hat" });
    expect(showView(other, sent(viewOf(one)))).toEqual([]);
    expect(other.selection).toEqual(one.selection);
    for (const text of ["update.none:0,2:rnn.weight_hh_l0", "update.3:0,2:rnn.weight_hh_l0", "gradient.exp_avg:0,2:rnn.weight_hh_l0"]) {
      const broken: string[] = [];
      const view = readView(new URLSearchParams({ why: text }), broken);
      expect([...broken, ...showView(other, view)]).toEqual(["why"]);
    }
    one.load(Trace.from(fixture("lstm")), undefined, true); // by momentum: no such term
    expect(one.selection?.term).toBeUndefined();
  });

  it("has the groups of a graph that were opened and closed", () => {
    const [one, other] = [open("stack"), open("stack")];
    const paths = one.groups.paths;
    expect([paths.length > 5, viewOf(one).groups, one.groups.open.size]).toEqual([true, null, paths.length]);
    for (const closed of [[0], [1, 2, 4], paths.map((_, i) => i), paths.slice(2).map((_, i) => i + 2)]) {
      one.groups.chosen = new Set(paths.filter((_, i) => !closed.includes(i)));
      expect(showView(other, sent(viewOf(one)))).toEqual([]);
      expect([[...other.groups.open].sort(), viewOf(other)]).toEqual([[...one.groups.open].sort(), viewOf(one)]);
    }
    expect(writeView({ ...NO_VIEW, groups: { state: "open", at: [0, 1, 2, 5] } })).toEqual([["groups", "open:0-2,5"]]);
    expect(showView(other, { ...NO_VIEW, at: 0, groups: { state: "open", at: [paths.length] } })).toEqual(["groups"]);
    expect(other.groups.open.size).toBe(paths.length);
    one.groups.chosen = new Set(paths);
    expect(viewOf(one).groups).toBeNull();
    expect(showView(other, sent({ ...NO_VIEW, at: 3 }))).toEqual([]); // an older link: as the graph begins
    expect(other.groups.chosen).toBeNull();
    for (const text of ["open", "open:2,1", "open:3-1", "shut:1", "open:0-9999999"]) {
      const broken: string[] = [];
      expect([readView(new URLSearchParams({ groups: text }), broken).groups, broken]).toEqual([null, ["groups"]]);
    }
  });

  it("names what this film does not have, and shows the rest", () => {
    const session = open("rnn");
    const odd: View = { ...NO_VIEW, at: 5, row: 7, cell: 99, chain: "l9", why: { kind: "value", path: "__proto__", index: [] } };
    expect(showView(session, odd).sort()).toEqual(["cell", "chain", "row", "why"]);
    expect([session.moment, session.example, session.focus, session.pinned]).toEqual([5, 0, null, false]);
    expect(showView(session, { ...NO_VIEW, at: session.film!.length + 1 })).toEqual(["at"]);
    const path = session.trace!.node(session.grid!.column(1)!.h).path;
    expect(showView(session, { ...NO_VIEW, why: { kind: "value", path, index: [0, 4] } })).toEqual(["why"]);
    expect(showView(session, { ...NO_VIEW, why: { kind: "value", path, index: [0] } })).toEqual(["why"]);
    expect(showView(session, { ...NO_VIEW, why: { kind: "update", path, index: [0, 0] } })).toEqual(["why"]);
    expect(showView(open("scalar"), { ...NO_VIEW, at: "after" })).toEqual(["at"]);
  });
});
