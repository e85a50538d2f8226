// The film of a trace: what is known at a moment. A moment m is how many events have happened: event m-1 is just done, event m is next.

import type { Clip } from "./clip";
import { Tensor, type Numbers, type Phase, type Trace } from "./trace";

export interface Contribution {
  /** The consumer whose rule made it; -1 for a gradient kept from an earlier run, the loss itself for the seed. */
  readonly node: number;
  readonly port: number;
  readonly target: number;
  /** The event at which it has arrived: it counts at every moment above this number. */
  readonly arrived: number;
  readonly time: number | null;
  readonly kind: "vjp" | "seed" | "kept";
  /** The numbers, of the target's shape; computed where they are not stored (large weights). */
  tensor(): Tensor;
}

export interface PhaseSpan {
  phase: Phase;
  from: number;
  to: number;
}

export class Film {
  readonly length: number;
  readonly finished: number;
  readonly phases: PhaseSpan[] = [];
  readonly clip: Clip | null;
  private readonly knownFrom: Int32Array; // node -> first moment at which its value is known
  private readonly start: Int32Array; // CSR: contributions of target n are start[n] .. start[n+1]
  private readonly first: Int32Array; // contribution -> its vjp (or seed, or kept) event
  private readonly holder: Int32Array; // contribution -> event whose tensor is of the target's shape
  private readonly last: Int32Array; // contribution -> event at which it has arrived
  private readonly lists = new Map<number, Contribution[]>();
  private readonly sums = new Map<number, { count: number; tensor: Tensor }>();
  private readonly updates = new Map<number, { event: number; terms: Map<string, Tensor> }>();
  private updatedFilm: Film | null = null;

  constructor(readonly trace: Trace) {
    const events = trace.events;
    this.length = this.finished = events.length;
    this.knownFrom = new Int32Array(trace.nodes.length).fill(-1);
    let clip: Clip | null = null;
    const order: number[] = []; // first events of contributions, in order of time
    const open = new Map<number, number>(); // target -> its latest contribution: position in `order`
    const holder: number[] = [];
    const last: number[] = [];
    for (let e = 0; e < events.length; e++) {
      const span = this.phases.at(-1);
      if (span && span.phase === events.phase(e)) span.to = e + 1;
      else this.phases.push({ phase: events.phase(e), from: e, to: e + 1 });
      const target = events.target(e);
      const at = open.get(target);
      const same = at !== undefined && events.node(order[at]!) === events.node(e) && events.port(order[at]!) === events.port(e);
      const kind = events.kind(e);
      if (kind === "forward") {
        this.knownFrom[events.node(e)] = e + 1;
      } else if (kind === "seed" || kind === "vjp" || (kind === "accumulate" && events.node(e) < 0)) {
        open.set(target, order.length); // the last is a gradient kept from an earlier run
        order.push(e);
        holder.push(e);
        last.push(e);
      } else if (kind === "unbroadcast" && same) {
        holder[at] = last[at] = e;
      } else if (kind === "accumulate" && same) {
        last[at] = e;
      } else if (kind === "clip") {
        const terms = events.terms(e);
        const term = (name: string): number => terms?.get(name)?.flat(0) ?? NaN;
        clip = { event: e, norm: term("norm"), maxNorm: term("max_norm"), coefficient: term("coefficient") };
      } else if (kind === "update") {
        const terms = events.terms(e);
        if (terms) this.updates.set(events.node(e), { event: e, terms });
      }
    }
    this.clip = clip;
    for (const node of trace.nodes) {
      if (this.knownFrom[node.id] !== -1) continue;
      this.knownFrom[node.id] = node.inputs.reduce((m, input) => Math.max(m, this.knownFrom[input]!), 0);
    }
    this.start = new Int32Array(trace.nodes.length + 1);
    for (const e of order) this.start[events.target(e) + 1]!++;
    for (let n = 0; n < trace.nodes.length; n++) this.start[n + 1]! += this.start[n]!;
    const cursor = this.start.slice();
    this.first = new Int32Array(order.length);
    this.holder = new Int32Array(order.length);
    this.last = new Int32Array(order.length);
    order.forEach((e, k) => {
      const place = cursor[events.target(e)]!++;
      this.first[place] = e;
      this.holder[place] = holder[k]!;
      this.last[place] = last[k]!;
    });
  }

  /** The phase of the event that is just done (forward before the first). */
  phaseAt(m: number): Phase {
    return m <= 0 || this.length === 0 ? "forward" : this.trace.events.phase(Math.min(m, this.length) - 1);
  }

  /** The first moment at which a node's value is known. */
  knownSince(node: number): number {
    return this.knownFrom[node]!;
  }

  /** The film of the same step with the values after its update, for the forward pass that is shown again; null where there is none. */
  get updated(): Film | null {
    const { updated } = this.trace;
    if (updated) this.updatedFilm ??= new Film(updated);
    return this.updatedFilm;
  }

  known(node: number, m: number): boolean {
    return this.knownFrom[node]! <= m;
  }

  /** In order of arrival. */
  contributions(target: number): readonly Contribution[] {
    let list = this.lists.get(target);
    if (!list) {
      list = [];
      for (let k = this.start[target]!; k < this.start[target + 1]!; k++) list.push(this.read(k));
      this.lists.set(target, list);
    }
    return list;
  }

  private read(k: number): Contribution {
    const { trace, first, holder, last } = this;
    const events = trace.events;
    const event = first[k]!;
    const node = events.node(event);
    const port = events.port(event);
    let made: Tensor | null = null;
    return {
      node,
      port,
      target: events.target(event),
      arrived: last[k]!,
      time: node < 0 ? null : trace.nodes[node]!.time,
      kind: events.kind(event) === "seed" ? "seed" : events.kind(event) === "vjp" ? "vjp" : "kept",
      tensor: () => (made ??= events.tensor(holder[k]!) ?? outer(trace, node)),
    };
  }

  private arrivedCount(target: number, m: number): number {
    // `last` rises within a target, so this is a binary search
    let low = this.start[target]!;
    let high = this.start[target + 1]!;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.last[middle]! < m) low = middle + 1;
      else high = middle;
    }
    return low - this.start[target]!;
  }

  /** The sum of the contributions that have arrived at m; null when none has. */
  gradient(node: number, m: number): Tensor | null {
    const count = this.arrivedCount(node, m);
    if (count === 0) return null;
    if (count === this.start[node + 1]! - this.start[node]!) {
      const stored = this.trace.gradient(node);
      if (stored) return stored;
    }
    const list = this.contributions(node);
    if (count === 1) return list[0]!.tensor();
    const known = this.sums.get(node);
    if (known && known.count === count) return known.tensor;
    const resume = known && known.count < count;
    let done = resume ? known.count : 1;
    const data = (resume ? known.tensor : list[0]!.tensor()).data.slice() as Numbers;
    for (; done < count; done++) {
      const part = list[done]!.tensor().data;
      for (let i = 0; i < data.length; i++) data[i]! += part[i]!;
    }
    const tensor = new Tensor(this.trace.nodes[node]!.shape, data);
    this.sums.set(node, { count, tensor });
    return tensor;
  }

  /** Whether all contributions have arrived (and there is at least one). */
  complete(node: number, m: number): boolean {
    const total = this.start[node + 1]! - this.start[node]!;
    return total > 0 && this.arrivedCount(node, m) === total;
  }

  /** The first moment at which a gradient has arrived at a node, Infinity where none does. */
  arrives(node: number): number {
    const k = this.start[node]!;
    return k < this.start[node + 1]! ? this.last[k]! + 1 : Infinity;
  }

  /** What came back by the input `port` of `consumer`; null where nothing did. */
  contribution(target: number, consumer: number, port: number): Contribution | null {
    return this.contributions(target).find((one) => one.node === consumer && one.port === port) ?? null;
  }

  /** The learning rate that the step is done with, edits and schedule included; null where there is none. */
  get rate(): number | null {
    for (const { terms } of this.updates.values()) return terms.get("lr")?.flat(0) ?? null;
    return null;
  }

  /** A parameter's new value after its update, else the value; null when it is not known yet. */
  value(node: number, m: number): Tensor | null {
    const update = this.updates.get(node);
    if (update && update.event < m) return update.terms.get("new") ?? null;
    return this.known(node, m) ? this.trace.value(node) : null;
  }

  /** The first event that moves a parameter; the length of a film in which none moves. */
  get moving(): number {
    for (const { event } of this.updates.values()) return event;
    return this.length;
  }

  update(parameter: number): { event: number; terms: Map<string, Tensor> } | null {
    return this.updates.get(parameter) ?? null;
  }
}

/** What a large `linear` node gave to its weight, which is not stored: the outer products of its gradient and its input, summed over rows. */
function outer(trace: Trace, node: number): Tensor {
  const g = trace.gradient(node);
  const linear = trace.nodes[node]!;
  if (!g) throw new Error(`node ${node} (${linear.path}) has no gradient, so its contribution cannot be computed`);
  const x = trace.value(linear.inputs[0]!);
  const [m, n] = [g.shape.at(-1)!, x.shape.at(-1)!];
  const rows = g.size / m;
  const data = x.data instanceof Float32Array ? new Float32Array(m * n) : new Float64Array(m * n);
  for (let b = 0; b < rows; b++) {
    for (let i = 0; i < m; i++) {
      const delta = g.data[b * m + i]!;
      if (delta !== 0) for (let j = 0; j < n; j++) data[i * n + j]! += delta * x.data[b * n + j]!;
    }
  }
  return new Tensor([m, n], data);
}
