import { describe, expect, it } from "vitest";
import scalar from "../model/fixtures/scalar.json";
import { Film } from "../model/film";
import { Trace } from "../model/trace";
import { extent, greatestGradient, strongestTarget, subject } from "./graph";

const trace = Trace.from(scalar);
const film = new Film(trace);

describe("the graph of an expression", () => {
  it("stands vectors up as columns and folds further axes into rows", () => {
    expect(extent([])).toEqual([1, 1]);
    expect(extent([3])).toEqual([3, 1]);
    expect(extent([2, 3])).toEqual([2, 3]);
    expect(extent([2, 2, 3])).toEqual([4, 3]);
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

  it("lets a card stand for its greatest number: the gradient once it has come, the value before", () => {
    const node = trace.nodes.find((candidate) => candidate.gradient !== null && candidate.op !== null && candidate.op !== "sum")!;
    expect(strongestTarget(film, node.id, film.knownSince(node.id)).kind).toBe("value");
    const target = strongestTarget(film, node.id, film.length);
    const numbers = [...trace.gradient(node.id)!.data].map(Math.abs);
    expect(target.kind).toBe("gradient");
    expect(Math.abs(trace.gradient(node.id)!.at(target.index))).toBe(Math.max(...numbers));
  });
});
