import { describe, expect, it } from "vitest";
import { document } from "./fixtures";
import { Tensor, Trace, TraceError } from "./trace";

describe("Trace", () => {
  const trace = Trace.from(document("scalar"));

  it("reads nodes, values and gradients", () => {
    const y = Math.tanh(0.5 * 2 - 0.3);
    expect(trace.value(trace.loss).flat(0)).toBeCloseTo(y, 15);
    const w = trace.node("w");
    expect(trace.gradient(w.id)!.flat(0)).toBeCloseTo((1 - y * y) * 2, 13);
    expect(trace.consumers(w.id)).toEqual([{ node: trace.nodes.find((node) => node.op === "mul")!.id, port: 0 }]);
    expect(() => trace.node("nowhere")).toThrow(TraceError);
  });

  it("copies nothing: tensors are views of one arena", () => {
    expect(trace.value(0).data.buffer).toBe(trace.value(1).data.buffer);
    expect(trace.value(0)).toBe(trace.value(0));
  });

  it("says what is wrong with a document", () => {
    expect(() => Trace.from(null)).toThrow(/no trace/);
    expect(() => Trace.from({ schema: "retrograd.trace/2" })).toThrow(/retrograd\.trace\/2.*reads "retrograd\.trace\/1"/);
    expect(() => Trace.from({ schema: "retrograd.trace/1" })).toThrow(/nodes/);
    const damaged = structuredClone(document("scalar")) as { tensors: { offset: number[] } };
    damaged.tensors.offset[0] = 1e6;
    expect(() => Trace.from(damaged).tensor(0)).toThrow(/damaged/);
  });

  it("reads the terms of the update and the batch", () => {
    const rnn = Trace.from(document("rnn"));
    const update = Array.from({ length: rnn.events.length }, (_, e) => e).find((e) => rnn.events.kind(e) === "update")!;
    expect([...rnn.events.terms(update)!.keys()]).toContain("adaptive_step");
    expect(rnn.batch!.examples[0]!.text).toBe("stone");
    expect(rnn.after!.values.size).toBeGreaterThan(0);
  });
});

describe("Tensor", () => {
  const tensor = new Tensor([2, 3], Float64Array.of(0, 1, 2, 3, 4, 5));

  it("finds elements and positions", () => {
    expect(tensor.at([1, 2])).toBe(5);
    expect(tensor.unravel(4)).toEqual([1, 1]);
    expect(new Tensor([], Float64Array.of(7)).at([])).toBe(7);
  });

  it("refuses an index outside its shape", () => {
    expect(() => tensor.at([2, 0])).toThrow(/outside the shape \[2, 3\]/);
    expect(() => tensor.at([0])).toThrow(/has 1 numbers.*takes 2/);
  });
});
