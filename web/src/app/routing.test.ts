import { describe, expect, it } from "vitest";
import type { NetworkProgram, Program } from "../api/types";
import { pack, unpack } from "../share/packed";
import { NO_VIEW, type View } from "../share/view";
import { filmAddress, formatRoute, parseRoute, resolved, type PageName, type Route } from "./routing";

const expression: Program = { kind: "expression", expression: "tanh(w*x + β)", inputs: { w: 0.5, x: [1, 2], β: 0 }, wrt: ["w"] };
const network: Program = {
  kind: "network", task: "surnames", cell: "gru", hidden_size: 4, optimizer: { name: "adamw", lr: 0.01 },
  clip_norm: null, batch_size: 32, seed: 0, step: 3, example: null,
};
const NOTHING = { program: null, trace: null, run: null, step: null, example: null, part: null, runs: null, sweep: null, landscape: null, edits: [], payload: null, view: NO_VIEW, link: null, waiting: false, problem: null, broken: [] };

/** Numbers from 0 up to 1 that come again (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A route as no person would make it: every field may be there, with any text that a field can hold. */
function anyRoute(next: () => number): Partial<Route> & { page: PageName } {
  const whole = (most: number): number => Math.floor(next() * most);
  const pick = <Item>(items: readonly Item[]): Item => items[whole(items.length)]!;
  const perhaps = <Item>(make: () => Item): Item | null => (next() < 0.5 ? make() : null);
  const text = (): string => Array.from({ length: 1 + whole(12) }, () => pick(["a", "_", "/", "#", "?", "&", "=", "+", "%", ":", ",", " ", "\n", "\"", "<", "β", "权", "😀", "__proto__", "%2F", "\u0000"])).join("").slice(0, 190);
  const index = (): number[] => Array.from({ length: whole(4) }, () => whole(1e6));
  const page = pick(["expression", "network"] as const);
  const view: View = {
    at: perhaps(() => (next() < 0.2 ? "after" : whole(1e6))),
    why: perhaps(() => ({ kind: pick(["value", "gradient", "update"] as const), path: text(), index: index() })),
    row: perhaps(() => (next() < 0.2 ? "all" : whole(256))),
    chain: perhaps(() => pick(["l0", "l1_reverse"])),
    cell: perhaps(() => whole(200)),
    level: perhaps(() => pick(["cell", "vector", "scalar"] as const)),
    groups: perhaps(() => ({ state: pick(["open", "closed"] as const), at: [0, 1, 2, 7, 9].slice(whole(5)) })),
    by: perhaps(() => pick(["event", "op", "cell", "phase"] as const)),
    tab: perhaps(() => pick(["gradient", "bptt", "parameters", "curves"] as const)),
    lang: perhaps(() => pick(["en", "zh"] as const)),
    lecture: perhaps(() => "on" as const),
    notation: perhaps(() => ({ product: pick(["column", "row"] as const), z: pick(["keep", "renew"] as const) })),
  };
  const program: Program = page === "expression" ? { kind: "expression", expression: text(), inputs: { [text()]: next() - 0.5, x: [[whole(9), -0]] }, wrt: [text()] } : { ...(network as NetworkProgram), task: text(), seed: whole(2 ** 40), optimizer: { name: text(), lr: next() } };
  return {
    page,
    program: perhaps(() => program),
    trace: perhaps(() => `sha256:${whole(1e9)}`),
    run: perhaps(() => `r_${whole(1e9)}`),
    step: perhaps(() => 1 + whole(5000)),
    example: perhaps(() => whole(4000)),
    part: perhaps(() => pick(["validation", "test"] as const)),
    runs: perhaps(() => Array.from({ length: whole(4) }, () => `r_${whole(1e9)}`)),
    sweep: perhaps(() => pick(["new", `s_${whole(1e9)}`])),
    landscape: perhaps(() => Array.from({ length: whole(4) }, () => `r_${whole(1e9)}`)),
    edits: perhaps(() => [{ node: text(), index: perhaps(index), value: next() * 1e300 }, { node: whole(99), value: [[1, 2], ["NaN", -0.5]] }]) ?? [],
    payload: perhaps(() => ({ [text()]: [text(), null, { deep: whole(9) }] })),
    view,
  };
}

describe("addresses", () => {
  it("carry a program and back, also one with letters beyond ASCII", () => {
    expect(unpack(pack(expression))).toEqual(expression);
    expect(pack(expression)).toMatch(/^[\w-]+$/);
    const hash = formatRoute({ page: "network", program: network });
    expect(parseRoute(hash)).toEqual({ ...NOTHING, page: "network", program: network });
  });

  it("carry a step of a run", () => {
    const hash = formatRoute({ page: "network", run: "r_1", step: 7, example: 0 });
    expect(hash).toBe("#/network?run=r_1&step=7&example=0");
    expect(parseRoute(hash)).toMatchObject({ run: "r_1", step: 7, example: 0, broken: [] });
  });

  it("carry every state there and back", () => {
    const next = random(5);
    for (let i = 0; i < 2000; i++) {
      const route = anyRoute(next);
      const hash = formatRoute(route);
      expect(hash).toMatch(/^#\/[a-z]+(\?[\w.~:,/@!'()*=&%-]*)?$/);
      expect(parseRoute(hash)).toEqual({ ...NOTHING, ...route, program: route.program && JSON.parse(JSON.stringify(route.program)) });
      expect(formatRoute(parseRoute(hash))).toBe(hash);
    }
  });

  it("are as short as they can be read", () => {
    const view: View = { ...NO_VIEW, at: 91, why: { kind: "gradient", path: "rnn.weight_hh_l0", index: [0, 2] }, cell: 3, lang: "zh" };
    expect(formatRoute({ page: "network", view })).toBe("#/network?v=2&at=91&why=gradient:0,2:rnn.weight_hh_l0&cell=3&lang=zh");
    expect(formatRoute({ page: "network", program: network, view }).length).toBeLessThan(500);
  });

  it("of a film are the same however it is looked at", () => {
    const [one, other] = [{ ...NO_VIEW, at: 3 }, { ...NO_VIEW, at: 4, lang: "zh" as const }].map((view) => parseRoute(formatRoute({ page: "network", program: network, view })));
    expect(filmAddress(one!)).toBe(filmAddress(other!));
  });
});

describe("links of today and before", () => {
  it("of version 1 are read as ever", () => {
    // as the page wrote them before there were versions
    const old = "#/expression?p=eyJraW5kIjoiZXhwcmVzc2lvbiIsImV4cHJlc3Npb24iOiJ3KngiLCJpbnB1dHMiOnsidyI6MiwieCI6M30sIndydCI6WyJ3Il19";
    expect(parseRoute(old)).toEqual({ ...NOTHING, page: "expression", program: { kind: "expression", expression: "w*x", inputs: { w: 2, x: 3 }, wrt: ["w"] } });
    expect(parseRoute("#/network?run=r_5&step=9")).toEqual({ ...NOTHING, page: "network", run: "r_5", step: 9 });
    expect(parseRoute("#/train?run=r_5")).toEqual({ ...NOTHING, page: "train", run: "r_5" });
  });

  it("that lead nowhere say so", () => {
    for (const hash of ["#/nowhere", "#/__proto__", "#/constructor", "#/network/further"]) expect(parseRoute(hash)).toMatchObject({ page: "missing", program: null });
  });

  it("that are empty lead to the network page", () => {
    for (const hash of ["", "#", "#/", "#/network", "#network"]) {
      expect(parseRoute(hash)).toEqual({ ...NOTHING, page: "network" });
    }
  });

  it("may have fields that this page does not know", () => {
    expect(parseRoute("#/network?v=2&at=5&colour=green&__proto__=1&constructor=2&hasOwnProperty=3")).toEqual({ ...NOTHING, page: "network", view: { ...NO_VIEW, at: 5 } });
  });

  it("of a later version say so", () => {
    expect(parseRoute("#/network?v=3&at=5").broken).toEqual(["v"]);
    expect(parseRoute("#/network?v=0").broken).toEqual(["v"]);
    expect(parseRoute("#/network?v=two").broken).toEqual(["v"]);
  });

  it("lead to what the server keeps, and what stands in the address goes before it", () => {
    const kept = parseRoute(formatRoute({ page: "network", program: network, view: { ...NO_VIEW, at: 5, row: 2, lang: "en" } }));
    const route = resolved(parseRoute("#/network?v=2&link=abc123&at=7"), kept);
    expect(route).toMatchObject({ program: network, link: "abc123", view: { at: 7, row: 2, lang: "en" }, broken: [] });
    expect(formatRoute(route)).toBe("#/network?v=2&link=abc123&at=7&row=2&lang=en");
  });

  it("that lead to a link again, or to another page, are broken", () => {
    const asked = parseRoute("#/network?v=2&link=abc123");
    expect(resolved(asked, parseRoute("#/network?v=2&link=abc123")).broken).toEqual(["link"]);
    expect(resolved(asked, parseRoute("#/expression")).broken).toEqual(["link"]);
    expect(parseRoute("#/network?link=../../runs").broken).toEqual(["link"]);
  });
});

describe("what nobody means well with", () => {
  const packed = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

  it.each([
    ["p", "!!!"], ["p", ""], ["p", "e30"], ["p", packed(null)], ["p", packed([])], ["p", packed("text")], ["p", packed({ kind: "__proto__" })],
    ["p", packed({ kind: "toString" })], ["p", packed(expression)], ["p", packed({ kind: "network", optimizer: null })],
    ["p", packed({ kind: "network", optimizer: [] })], ["p", packed({ kind: "network", hidden_size: { toString: 1 } })], ["p", packed({ kind: "network", task: ["surnames"] })],
    ["p", packed({ kind: "network", clip_norm: "1" })], ["p", "gICA"], ["p", "a".repeat(2 ** 20 + 1)], ["p", packed({ kind: "what-if", program: network })],
    ["x", packed({})], ["x", packed([])], ["x", packed([null])], ["x", packed([{ node: 1 }])], ["x", packed([{ node: {}, value: 1 }])], ["x", packed([{ node: "a", index: "0", value: 1 }])],
    ["c", packed([])], ["c", packed(7)],
    ["at", "-1"], ["at", "1.5"], ["at", "1e9"], ["at", "0x10"], ["at", ""], ["at", "9".repeat(400)], ["at", "NaN"],
    ["why", "gradient"], ["why", "gradient:0:"], ["why", "explode:0:w"], ["why", "value:-1:w"], ["why", "value:0,:w"], ["why", `value:0:${"x".repeat(401)}`], ["why", "__proto__:0:w"],
    ["row", "-0"], ["row", "-1"], ["chain", ""], ["chain", "l0.weight"], ["cell", "∞"], ["level", "__proto__"], ["by", "constructor"], ["tab", "toString"], ["lang", "fr"], ["lang", "__proto__"],
    ["link", "A"], ["link", "__proto__"], ["link", "%2e%2e"],
  ])("in %s is told by its name: %s", (name, text) => {
    expect(parseRoute(`#/network?v=2&${name}=${text}`).broken).toEqual([name]);
  });

  it("never reaches a prototype", () => {
    const hostile = packed(JSON.parse('{"kind": "network", "__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "optimizer": {"name": "sgd", "lr": 1, "__proto__": {"polluted": 1}}}'));
    const { program, broken } = parseRoute(`#/network?p=${hostile}&c=${packed(JSON.parse('{"__proto__": {"polluted": 1}}'))}&why=value:0:__proto__`);
    expect(broken).toEqual([]);
    expect(({ ...program } as Record<string, unknown>).polluted).toBeUndefined();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(program)).toBe(Object.prototype);
  });

  it("in any text at all is no exception", () => {
    const next = random(11);
    const alphabet = ["#", "/", "?", "&", "=", "%", "%E0", "%00", "p", "x", "c", "why", "at", "link", "network", "expression", ":", ",", "{", "😀", "\ud800", "\n", "AAAA", "-", "_", "__proto__"];
    for (let i = 0; i < 5000; i++) {
      const hash = Array.from({ length: Math.floor(next() * 24) }, () => alphabet[Math.floor(next() * alphabet.length)]).join("");
      const route = parseRoute(hash);
      expect(["network", "expression", "train", "missing"]).toContain(route.page);
      expect(() => formatRoute(route)).not.toThrow();
    }
  });
});
