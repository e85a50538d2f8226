import { describe, expect, it } from "vitest";
import { film } from "../model/fixtures";
import { NetworkGrid } from "../model/network";
import { Breakpoints, touching } from "./breakpoints.svelte";

const { trace } = film("rnn");
const h3 = NetworkGrid.of(trace)!.column(3)!.h;
const path = trace.nodes[h3]!.path;

describe("breakpoints", () => {
  it("stop right after the events that compute a node, bring gradients to it and send its own on", () => {
    const moments = touching(trace, new Set([h3]));
    const kinds = moments.map((at) => trace.events.kind(at - 1));
    expect(kinds[0]).toBe("forward");
    expect(trace.events.node(moments[0]! - 1)).toBe(h3);
    expect(kinds.filter((kind) => kind === "vjp").length).toBeGreaterThanOrEqual(2);
    for (const at of moments) expect([trace.events.node(at - 1), trace.events.target(at - 1)]).toContain(h3);
    expect(moments).toEqual([...moments].sort((one, other) => one - other));
  });

  it("are set and removed, one by one and all", () => {
    const breakpoints = new Breakpoints();
    expect(breakpoints.moments(trace)).toEqual([]);
    breakpoints.toggle(path);
    breakpoints.toggle(trace.nodes[0]!.path);
    expect(breakpoints.moments(trace)).toEqual(touching(trace, new Set([h3, 0])));
    breakpoints.toggle(path);
    expect([...breakpoints.paths]).toEqual([trace.nodes[0]!.path]);
    breakpoints.clear();
    expect(breakpoints.moments(trace)).toEqual([]);
  });

  it("stay in a film that has the node, and go with one that has not", () => {
    const breakpoints = new Breakpoints();
    breakpoints.toggle(path);
    breakpoints.keep(trace);
    expect(breakpoints.paths.size).toBe(1);
    breakpoints.keep(film("scalar").trace);
    expect(breakpoints.paths.size).toBe(0);
  });
});
