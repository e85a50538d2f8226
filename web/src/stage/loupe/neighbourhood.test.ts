import { describe, expect, it } from "vitest";
import { Film } from "../../model/film";
import { document as fixture } from "../../model/fixtures";
import { NetworkGrid, shares } from "../../model/network";
import { Trace } from "../../model/trace";
import { neighbourhood } from "./neighbourhood";

const MOST = { time: 7, elements: 5 };

function film(name: Parameters<typeof fixture>[0]): { film: Film; grid: NetworkGrid | null } {
  const trace = Trace.from(fixture(name));
  return { film: new Film(trace), grid: NetworkGrid.of(trace) };
}

describe("what stands beside a gradient", () => {
  it("is the same unit at the other steps, and the other units of its step", () => {
    const { film: of, grid } = film("rnn");
    const { h } = grid!.column(2)!;
    const found = neighbourhood(of, grid, of.length, { node: h, index: [0, 1] }, MOST)!;
    expect(found.time.map(({ value }) => value)).toEqual(grid!.columns.map((column) => of.trace.gradient(column.h)!.at([0, 1])));
    expect(found.time.map(({ here }) => here)).toEqual(grid!.columns.map(({ t }) => t === 2));
    expect(found.elements.map(({ value }) => value)).toEqual([0, 1, 2, 3].map((i) => of.trace.gradient(h)!.at([0, i])));
    expect(found.edges).toEqual([]);
    expect(found.value).toBe(of.trace.gradient(h)!.at([0, 1]));
  });

  it("has not arrived where the film has not come to it, and is nothing before the number itself has", () => {
    const { film: of, grid } = film("rnn");
    const last = grid!.columns.at(-1)!;
    const moment = of.arrives(last.h);
    const found = neighbourhood(of, grid, moment, { node: last.h, index: [0, 0] }, MOST)!;
    expect(found.time.map(({ value }) => value === null)).toEqual(grid!.columns.map(({ t }) => t !== last.t));
    expect(neighbourhood(of, grid, moment - 1, { node: last.h, index: [0, 0] }, MOST)).toBeNull();
  });

  it("is this step's share of a weight, that of the other steps, and its row", () => {
    const { film: of, grid } = film("rnn");
    const { node } = grid!.parameter("weight_hh")!;
    const found = neighbourhood(of, grid, of.length, { node, index: [3, 0], step: 3 }, MOST)!;
    const list = shares(of, node, of.length).sort((one, other) => one.t! - other.t!);
    expect(found.time.map(({ value }) => value)).toEqual(list.map(({ tensor }) => tensor.at([3, 0])));
    expect(found.elements.map(({ of: what }) => what)).toEqual([0, 1, 2, 3].map((j) => ({ index: [3, j] })));
  });

  it("keeps to one gate of those that stand side by side, and to what it is written as", () => {
    const { film: of, grid } = film("lstm");
    const a = grid!.column(1)!.a!;
    const at = [0, grid!.hidden + 1]; // of the forget gate
    const found = neighbourhood(of, grid, of.length, { node: a, index: at, written: (g) => -g }, MOST)!;
    const block = Array.from({ length: Math.min(5, grid!.hidden) }, (_, i) => [0, grid!.hidden + i]);
    expect(found.elements.map(({ of: what }) => what)).toEqual(block.map((index) => ({ index })));
    expect(found.value).toBe(-of.trace.gradient(a)!.at(at));
    expect(found.time.every(({ value }) => value !== null)).toBe(true);
  });

  it("is, of a lone number, what uses it and what it is made of", () => {
    const { film: of } = film("scalar");
    const node = of.trace.nodes.find(({ op, shape, inputs, gradient, id }) => op !== null && shape.length === 0 && inputs.length > 0 && gradient !== null && of.trace.consumers(id).length > 0)!;
    const found = neighbourhood(of, null, of.length, { node: node.id, index: [] }, MOST)!;
    expect([found.time, found.elements]).toEqual([[], []]);
    const nodes = found.edges.map((row) => ("node" in row.of ? row.of.node : -1));
    const here = found.edges.findIndex((row) => row.here);
    expect(nodes[here]).toBe(node.id);
    expect(of.trace.consumers(node.id).map((use) => use.node)).toEqual(expect.arrayContaining(nodes.slice(0, here)));
    expect(node.inputs).toEqual(expect.arrayContaining(nodes.slice(here + 1)));
    expect(found.edges.length).toBeGreaterThan(1);
  });
});
