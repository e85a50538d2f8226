import ELK from "elkjs/lib/elk.bundled.js";
import { describe, expect, it } from "vitest";
import scalar from "../model/fixtures/scalar.json";
import { Film } from "../model/film";
import { Trace } from "../model/trace";
import { cards, edges, extent, greatestGradient, subject } from "./graph";
import { elkGraph, placed } from "./layout";

const trace = Trace.from(scalar);
const film = new Film(trace);

describe("the graph of an expression", () => {
  it("stands vectors up as columns and folds further axes into rows", () => {
    expect(extent([])).toEqual([1, 1]);
    expect(extent([3])).toEqual([3, 1]);
    expect(extent([2, 3])).toEqual([2, 3]);
    expect(extent([2, 2, 3])).toEqual([4, 3]);
  });

  it("has a card a node and an edge an input", () => {
    expect(cards(trace).map((card) => card.node.id)).toEqual(trace.nodes.map((node) => node.id));
    expect(edges(trace)).toHaveLength(trace.nodes.reduce((sum, node) => sum + node.inputs.length, 0));
  });

  it("knows what each event is about: the node computed, or the node that receives and the edge it comes by", () => {
    for (let e = 0; e < film.length; e++) {
      const found = subject(film, e);
      const kind = trace.events.kind(e);
      if (kind === "forward") expect(found).toEqual({ node: trace.events.node(e), edge: null });
      if (kind === "vjp") expect(found).toEqual({ node: trace.events.target(e), edge: `${trace.events.node(e)}:${trace.events.port(e)}` });
    }
    expect(subject(film, -1)).toBeNull();
    expect(subject(film, film.length)).toBeNull();
  });

  it("draws every gradient on the scale of the greatest", () => {
    const all = trace.nodes.flatMap((node) => [...(trace.gradient(node.id)?.data ?? [])]);
    expect(greatestGradient(trace)).toBe(Math.max(...all.map(Math.abs)));
  });

  it("is laid out from left to right, no card on another, edges from card to card", async () => {
    const boxes = cards(trace);
    const lines = edges(trace);
    const result = placed(await new ELK().layout(elkGraph(boxes, lines)));
    for (const edge of lines) {
      const from = boxes[edge.from]!;
      const start = result.cards.get(edge.from)!;
      const end = result.cards.get(edge.to)!;
      expect(start.x + from.width).toBeLessThan(end.x);
      const points = result.edges.get(edge.id)!;
      expect(points[0]!.x).toBeCloseTo(start.x + from.width, 6);
      expect(points.at(-1)!.x).toBeCloseTo(end.x, 6);
    }
    for (const a of boxes)
      for (const b of boxes) {
        if (a.node.id >= b.node.id) continue;
        const p = result.cards.get(a.node.id)!;
        const q = result.cards.get(b.node.id)!;
        const apart = p.x + a.width <= q.x || q.x + b.width <= p.x || p.y + a.height <= q.y || q.y + b.height <= p.y;
        expect(apart).toBe(true);
      }
  });
});
