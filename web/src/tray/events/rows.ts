/** The events of a film as rows of a table: all of them, or those of one phase; and the number that each brings. Pure. */
import type { Film } from "../../model/film";
import { norm } from "../../model/norm";
import type { Phase, Tensor } from "../../model/trace";

/** Which events are listed, without a list of them: there may be hundreds of thousands. */
export class Rows {
  readonly count: number;
  private readonly spans: readonly { from: number; to: number }[];

  constructor(film: Film, phase: Phase | null) {
    this.spans = phase === null ? [{ from: 0, to: film.length }] : film.phases.filter((span) => span.phase === phase);
    this.count = this.spans.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  /** The event of row k. */
  event(k: number): number {
    let rest = k;
    for (const { from, to } of this.spans) {
      if (rest < to - from) return from + rest;
      rest -= to - from;
    }
    return -1;
  }

  /** The row of an event, or of the last that is listed before it; the first where none is. */
  row(event: number): number {
    let row = 0;
    for (const { from, to } of this.spans) {
      if (event < from) break;
      row += Math.min(event + 1, to) - from;
    }
    return Math.max(0, row - 1);
  }
}

/** What an event brings: one number, the norm of several, or what clipping multiplies by; of an update the change. */
export interface Brought {
  what: "number" | "norm" | "factor";
  value: number;
  shape: readonly number[];
}

const told = ({ size, data, shape }: Tensor): Brought => (size === 1 ? { what: "number", value: data[0]!, shape } : { what: "norm", value: norm(data), shape });

/** Null for an event that brings none: gradients are set to zero. */
export function broughtBy(film: Film, e: number): Brought | null {
  const { trace } = film;
  const { events } = trace;
  const [node, target, port] = [events.node(e), events.target(e), events.port(e)];
  switch (events.kind(e)) {
    case "forward":
      return told(trace.value(node));
    case "seed":
    case "vjp":
    case "unbroadcast": {
      const tensor = events.tensor(e) ?? film.contributions(target).find((one) => one.node === node && one.port === port)?.tensor();
      return tensor ? told(tensor) : null;
    }
    case "accumulate": {
      const sum = film.gradient(target, e + 1);
      return sum && told(sum);
    }
    case "clip":
      return film.clip && { what: "factor", value: film.clip.coefficient, shape: [] };
    case "update": {
      const now = film.update(node)?.terms.get("new");
      const before = trace.value(node);
      if (!now) return null;
      const change = Float64Array.from(now.data, (x, i) => x - before.flat(i));
      return change.length === 1 ? { what: "number", value: change[0]!, shape: before.shape } : { what: "norm", value: norm(change), shape: before.shape };
    }
    case "zero_grad":
      return null;
  }
}
