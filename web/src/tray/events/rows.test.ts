import { describe, expect, it } from "vitest";
import { film } from "../../model/fixtures";
import { norm } from "../../model/norm";
import { broughtBy, Rows } from "./rows";

describe("the events as rows", () => {
  const rnn = film("rnn");
  const { events } = rnn.trace;
  const all = Array.from({ length: rnn.length }, (_, e) => e);

  it("are all of them, or those of one phase, there and back", () => {
    const whole = new Rows(rnn, null);
    expect(all.map((k) => whole.event(k))).toEqual(all);
    expect(all.map((e) => whole.row(e))).toEqual(all);
    for (const phase of ["forward", "loss", "backward", "update"] as const) {
      const rows = new Rows(rnn, phase);
      const listed = all.filter((e) => events.phase(e) === phase);
      expect(Array.from({ length: rows.count }, (_, k) => rows.event(k))).toEqual(listed);
      expect(listed.map((e) => rows.row(e))).toEqual(listed.map((_, k) => k));
      expect(rows.event(rows.count)).toBe(-1);
    }
  });

  it("have a place for an event that is not listed: the one before it", () => {
    const backward = new Rows(rnn, "backward");
    expect(backward.row(0)).toBe(0);
    expect(backward.event(backward.row(rnn.length - 1))).toBe(all.findLast((e) => events.phase(e) === "backward"));
  });

  it("bring the value, what is sent back, the sum so far, the factor, the change", () => {
    const seen = new Set<string>();
    for (const e of all) {
      const kind = events.kind(e);
      const brought = broughtBy(rnn, e);
      seen.add(kind);
      if (kind === "zero_grad") expect(brought).toBeNull();
      else expect(brought, `${kind} ${e}`).not.toBeNull();
      if (kind === "forward") expect(brought!.value).toBe(brought!.what === "number" ? rnn.trace.value(events.node(e)).flat(0) : norm(rnn.trace.value(events.node(e)).data));
      if (kind === "seed") expect(brought).toEqual({ what: "number", value: 1, shape: [] });
      if (kind === "clip") expect(brought!.value).toBe(rnn.clip!.coefficient);
      if (kind === "accumulate") expect(brought!.value).toBe(norm(rnn.gradient(events.target(e), e + 1)!.data));
      if (kind === "update") {
        const { terms } = rnn.update(events.node(e))!;
        const moved = Array.from(terms.get("new")!.data, (x, i) => x - rnn.trace.value(events.node(e)).flat(i));
        expect(brought!.value).toBeCloseTo(norm(moved), 12);
      }
    }
    for (const kind of ["forward", "seed", "vjp", "accumulate", "clip", "update"]) expect(seen).toContain(kind);
  });
});
