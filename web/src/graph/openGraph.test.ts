import { describe, expect, it } from "vitest";
import { looksLikeJson, readProgram } from "./openGraph";

const graph = { kind: "graph", nodes: [{ id: "w", value: 1, role: "parameter" }, { id: "y", op: "exp" }], edges: [{ from: "w", to: "y" }] };

describe("a program brought along", () => {
  it("is a graph, the body of a request, or a trace", () => {
    expect(readProgram(JSON.stringify(graph))).toEqual(graph);
    expect(readProgram(JSON.stringify({ program: graph }))).toEqual(graph);
    expect(readProgram(JSON.stringify({ schema: "retrograd.trace/1", nodes: [], program: { kind: "expression", expression: "x*x", inputs: { x: 1 }, wrt: ["x"] } }))).toMatchObject({ kind: "expression" });
  });

  it("is nothing else", () => {
    for (const text of ["", "tanh(w)", "{", "[]", "null", '{"kind": "graph"}', '{"program": 3}', '{"kind": "other"}']) expect(readProgram(text)).toBeNull();
  });

  it("is told from a formula by its brace", () => {
    expect(looksLikeJson('  {"kind":')).toBe(true);
    expect(looksLikeJson("tanh(w*x)")).toBe(false);
  });
});
