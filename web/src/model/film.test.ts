import { describe, expect, it } from "vitest";
import { Film } from "./film";
import { document, film, FIXTURES } from "./fixtures";
import { Trace } from "./trace";

describe.each(FIXTURES)("the film of %s", (name) => {
  const shown = film(name);
  const { trace } = shown;

  it("has, when all has arrived, exactly the stored gradients, also when folded", () => {
    for (const node of trace.nodes) {
      const stored = trace.gradient(node.id);
      const complete = shown.gradient(node.id, shown.length);
      expect(complete === null).toBe(stored === null);
      if (!stored) continue;
      const folded = stored.data.slice().fill(0);
      shown.contributions(node.id).forEach((one, k) => one.tensor().data.forEach((x, i) => (folded[i] = k === 0 ? x : folded[i]! + x)));
      expect(Array.from(folded)).toEqual(Array.from(stored.data));
      expect(Array.from(complete!.data)).toEqual(Array.from(stored.data));
    }
  });

  it("gives partial sums forwards and backwards alike", () => {
    const again = new Film(trace);
    const node = trace.nodes.reduce((most, one) => (shown.contributions(one.id).length > shown.contributions(most.id).length ? one : most));
    const moments = Array.from({ length: shown.length + 1 }, (_, m) => m);
    const forwards = moments.map((m) => shown.gradient(node.id, m)?.flat(0) ?? null);
    const backwards = moments.reverse().map((m) => again.gradient(node.id, m)?.flat(0) ?? null);
    expect(backwards.reverse()).toEqual(forwards);
    expect(forwards[0]).toBeNull();
  });

  it("knows leaves at once and computed values after their event", () => {
    for (const node of trace.nodes) {
      if (node.op === null) expect(shown.known(node.id, 0)).toBe(true);
      else expect(shown.known(node.id, 0)).toBe(node.role === "probe" && node.inputs.every((input) => shown.known(input, 0)));
      expect(shown.known(node.id, shown.length)).toBe(true);
      for (const input of node.inputs) expect(shown.knownSince(input)).toBeLessThanOrEqual(shown.knownSince(node.id));
    }
  });

  it("has phases without gaps", () => {
    let at = 0;
    for (const { from, to } of shown.phases) {
      expect(from).toBe(at);
      at = to;
    }
    expect(at).toBe(shown.length);
  });
});

describe("the update of a network's film", () => {
  const shown = film("rnn");
  const weight = shown.trace.node("rnn.weight_hh_l0").id;

  it("replaces a parameter's value after its own event", () => {
    const { event, terms } = shown.update(weight)!;
    expect(shown.value(weight, event)).toBe(shown.trace.value(weight));
    expect(shown.value(weight, event + 1)).toBe(terms.get("new"));
    expect(shown.clip!.coefficient).toBeCloseTo(Math.min(1, shown.clip!.maxNorm / (shown.clip!.norm + 1e-6)), 15);
    expect(shown.clip!.event).toBeLessThan(event);
  });

  it("collects one contribution a step to the recurrent weight, last step first", () => {
    expect(shown.contributions(weight).map((one) => one.time)).toEqual([5, 4, 3, 2, 1]);
    expect(shown.complete(weight, shown.contributions(weight).at(-1)!.arrived)).toBe(false);
    expect(shown.complete(weight, shown.contributions(weight).at(-1)!.arrived + 1)).toBe(true);
  });
});

it("computes a large contribution that is not stored", () => {
  const raw = structuredClone(document("rnn-batch")) as { events: { kind: number[]; kinds: string[]; target: number[]; tensor: number[] } };
  const stored = new Film(Trace.from(document("rnn-batch")));
  const weight = stored.trace.node("rnn.weight_hh_l0").id;
  raw.events.target.forEach((target, e) => {
    if (target === weight && raw.events.kinds[raw.events.kind[e]!] === "vjp") raw.events.tensor[e] = -1;
  });
  const computed = new Film(Trace.from(raw));
  computed.contributions(weight).forEach((one, k) => {
    const expected = stored.contributions(weight)[k]!.tensor().data;
    one.tensor().data.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 14));
  });
});
