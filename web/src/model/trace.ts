// A trace document (docs/trace-format.md), decoded once for random access. Nothing is copied: tensors are views into the arenas.

import type { Edit, MuteEdit, Program, WhatIf } from "./program";

export type Phase = "forward" | "loss" | "backward" | "update";
export type EventKind = "forward" | "zero_grad" | "seed" | "vjp" | "unbroadcast" | "accumulate" | "clip" | "update";
export type Role = "input" | "parameter" | "constant" | "intermediate" | "probe" | "loss";
export type Numbers = Float64Array | Float32Array | Int32Array | Uint8Array;
/** A formula tree: a number, a name, or a list whose first item says what it is. */
export type Tree = number | string | readonly [string, ...Tree[]];

export interface TraceNode {
  id: number;
  path: string;
  op: string | null;
  label: string | null;
  scope: string;
  time: number | null;
  role: Role;
  inputs: number[];
  attributes: Record<string, unknown>;
  shape: number[];
  dtype: string;
  requires_grad: boolean;
  value: number;
  gradient: number | null;
  source: string | null;
}

export interface OpEntry {
  kind: "elementwise" | "structured";
  inputs: string[];
  formula: Tree | null;
  latex: string | null;
  derivatives: { input: string; formula: Tree | null; latex: string | null }[];
}

export interface RuleEntry {
  terms: { name: string; symbol: string; formula: Tree | null }[];
  /** LaTeX of every term and hyper-parameter. */
  symbols: Record<string, string>;
}

export type Token = string | number | number[];

export interface Example {
  index: number;
  length: number;
  tokens: Token[];
  text: string;
  /** A class; the numbers to predict; a list of them a step where every step predicts. */
  target: number | (number | number[])[];
}

export interface Batch {
  task: string;
  display: "letters" | "rows" | "series" | "pairs";
  kind: "classification" | "regression";
  readout: "last" | "every";
  classes: string[] | null;
  features: string[] | null;
  examples: Example[];
}

export interface Note {
  key: string;
  params: Record<string, unknown>;
}

/** A document that is no trace, or not one this page can read; the message says what is wrong. */
export class TraceError extends Error {
  override name = "TraceError";
}

/** Numbers of a shape, in C order. `data` is a view into the trace. */
export class Tensor {
  readonly size: number;
  constructor(
    readonly shape: readonly number[],
    readonly data: Numbers,
  ) {
    this.size = data.length;
  }

  /** The element at an index; RangeError where there is none. */
  at(index: readonly number[]): number {
    return this.data[this.offset(index)]!;
  }

  flat(i: number): number {
    return this.data[i]!;
  }

  /** Where an index lies in `data`. */
  offset(index: readonly number[]): number {
    let at = 0;
    if (index.length !== this.shape.length) {
      throw new RangeError(`index [${index.join(", ")}] has ${index.length} numbers; the shape [${this.shape.join(", ")}] takes ${this.shape.length}`);
    }
    for (let i = 0; i < this.shape.length; i++) {
      const k = index[i]!;
      if (!(k >= 0 && k < this.shape[i]!)) {
        throw new RangeError(`index [${index.join(", ")}] lies outside the shape [${this.shape.join(", ")}]`);
      }
      at = at * this.shape[i]! + k;
    }
    return at;
  }

  /** The index of a position in `data`. */
  unravel(position: number): number[] {
    const index = new Array<number>(this.shape.length);
    let rest = position;
    for (let i = this.shape.length - 1; i >= 0; i--) {
      index[i] = rest % this.shape[i]!;
      rest = Math.floor(rest / this.shape[i]!);
    }
    return index;
  }
}

export interface Events {
  readonly length: number;
  kind(e: number): EventKind;
  phase(e: number): Phase;
  node(e: number): number;
  port(e: number): number;
  target(e: number): number;
  tensor(e: number): Tensor | null;
  terms(e: number): Map<string, Tensor> | null;
  message(e: number): string;
}

export interface Consumer {
  node: number;
  port: number;
}

interface Packed {
  dtype: string;
  shape: number[];
  bdata: string;
}

const ARRAYS: Record<string, new (buffer: ArrayBuffer) => Numbers> = {
  f8: Float64Array,
  f4: Float32Array,
  i4: Int32Array,
  u1: Uint8Array,
};

/** Browsers that have it of their own do it several times as fast: a long sequence has megabytes. */
function fromBase64(text: string): Uint8Array {
  const own = (Uint8Array as unknown as { fromBase64?: (text: string) => Uint8Array }).fromBase64;
  if (own) return own.call(Uint8Array, text);
  const decoded = atob(text);
  const bytes = new Uint8Array(decoded.length);
  for (let i = 0; i < decoded.length; i++) bytes[i] = decoded.charCodeAt(i);
  return bytes;
}

function unpack(packed: Packed, what: string): Numbers {
  const kind = ARRAYS[packed.dtype];
  if (!kind) throw new TraceError(`${what}: the number type "${packed.dtype}" is unknown; expected f8, f4, i4 or u1`);
  const bytes = fromBase64(packed.bdata);
  try {
    return new kind(bytes.buffer as ArrayBuffer);
  } catch {
    throw new TraceError(`${what}: ${bytes.length} bytes are no whole number of ${packed.dtype}; the document is damaged`);
  }
}

/** A column, written as a list or packed. */
function column(given: number[] | Packed, what: string): Int32Array {
  if (Array.isArray(given)) return Int32Array.from(given);
  if (given && typeof given === "object" && typeof given.bdata === "string") return Int32Array.from(unpack(given, what));
  throw new TraceError(`${what}: expected a list of numbers`);
}

interface Raw {
  schema: string;
  schema_version: number;
  id: string;
  program: Program | WhatIf;
  ops: Record<string, OpEntry>;
  rules: Record<string, RuleEntry>;
  nodes: TraceNode[];
  loss: number;
  events: {
    kinds: string[];
    phases: string[];
    messages: string[];
    details?: Record<string, { terms?: Record<string, number> }>;
  } & Record<"kind" | "phase" | "node" | "port" | "target" | "tensor" | "message", number[] | Packed>;
  tensors: {
    dtypes: string[];
    arenas: Record<string, Packed>;
    dtype: number[] | Packed;
    offset: number[] | Packed;
    shape: number[][];
  };
  batch: Batch | null;
  after: { values: Record<string, number> } | null;
  notes: Note[];
}

export class Trace {
  readonly id: string;
  /** What made the film, before any edits. */
  readonly program: Program;
  /** The film that this one was made of by edits: its id, and what makes it. Null where nothing was edited. */
  readonly parent: { id: string; program: Program } | null;
  /** What was changed in the parent. */
  readonly edits: readonly Edit[];
  readonly nodes: TraceNode[];
  readonly loss: number;
  readonly batch: Batch | null;
  readonly notes: Note[];
  readonly ops: Record<string, OpEntry>;
  readonly rules: Record<string, RuleEntry>;
  readonly schema: string;
  readonly events: Events;
  readonly after: { values: Map<number, Tensor> } | null;
  private readonly tensors: (Tensor | undefined)[] = [];
  private readonly arenas: Numbers[];
  private readonly dtypeOf: Int32Array;
  private readonly offsetOf: Int32Array;
  private readonly shapeOf: number[][];
  private readonly byPath = new Map<string, TraceNode>();
  private readonly consumersOf: Consumer[][];
  private readonly mutes: MuteEdit["mute"][] = [];
  private updatedView: Trace | null = null;

  /** Reads a document. Throws TraceError when it is no trace of version 1. */
  static from(document: unknown): Trace {
    const raw = document as Raw;
    if (typeof raw !== "object" || raw === null || !("schema" in raw)) {
      throw new TraceError("this is no trace: a JSON object with a field `schema` was expected");
    }
    if (raw.schema !== "retrograd.trace/1") {
      throw new TraceError(`the schema is "${String(raw.schema)}"; this page reads "retrograd.trace/1"`);
    }
    for (const field of ["nodes", "events", "tensors", "program"] as const) {
      if (typeof raw[field] !== "object" || raw[field] === null) throw new TraceError(`the trace has no \`${field}\``);
    }
    return new Trace(raw);
  }

  private constructor(raw: Raw) {
    this.id = raw.id;
    this.schema = raw.schema;
    let made = raw.program;
    // a what-if of a what-if is made by the server from such a program as well
    this.parent = made.kind === "what-if" ? { id: made.parent, program: made.program as Program } : null;
    this.edits = made.kind === "what-if" ? made.edits : [];
    while (made.kind === "what-if") {
      for (const edit of made.edits) if ("mute" in edit) this.mutes.push(edit.mute);
      made = made.program;
    }
    this.program = made;
    this.nodes = raw.nodes;
    this.loss = raw.loss;
    this.batch = raw.batch ?? null;
    this.notes = raw.notes ?? [];
    this.ops = raw.ops ?? {};
    this.rules = raw.rules ?? {};
    const stored = raw.tensors;
    this.arenas = stored.dtypes.map((code) => {
      const arena = stored.arenas[code];
      if (!arena) throw new TraceError(`tensors: there is no arena for the number type "${code}"`);
      return unpack(arena, `arena ${code}`);
    });
    this.dtypeOf = column(stored.dtype, "tensors.dtype");
    this.offsetOf = column(stored.offset, "tensors.offset");
    this.shapeOf = stored.shape;
    this.consumersOf = raw.nodes.map(() => []);
    for (const node of raw.nodes) {
      this.byPath.set(node.path, node);
      node.inputs.forEach((input, port) => this.consumersOf[input]?.push({ node: node.id, port }));
    }
    this.events = this.readEvents(raw.events);
    this.after = raw.after
      ? { values: new Map(Object.entries(raw.after.values).map(([node, ref]) => [Number(node), this.tensor(ref)])) }
      : null;
  }

  private readEvents(raw: Raw["events"]): Events {
    const of = (name: "kind" | "phase" | "node" | "port" | "target" | "tensor" | "message"): Int32Array =>
      column(raw[name], `events.${name}`);
    const kind = of("kind"), phase = of("phase"), node = of("node"), port = of("port");
    const target = of("target"), tensor = of("tensor"), message = of("message");
    for (const part of [phase, node, port, target, tensor, message]) {
      if (part.length !== kind.length) throw new TraceError("events: the columns have unequal lengths");
    }
    const { kinds, phases, messages, details = {} } = raw;
    const terms = new Map<number, Map<string, Tensor>>();
    return {
      length: kind.length,
      kind: (e) => kinds[kind[e]!] as EventKind,
      phase: (e) => phases[phase[e]!] as Phase,
      node: (e) => node[e]!,
      port: (e) => port[e]!,
      target: (e) => target[e]!,
      tensor: (e) => (tensor[e]! < 0 ? null : this.tensor(tensor[e]!)),
      terms: (e) => {
        const found = details[String(e)]?.terms;
        if (!found) return null;
        let map = terms.get(e);
        if (!map) {
          map = new Map(Object.entries(found).map(([name, ref]) => [name, this.tensor(ref)]));
          terms.set(e, map);
        }
        return map;
      },
      message: (e) => messages[message[e]!] ?? "",
    };
  }

  /** The tensor of a reference. */
  tensor(ref: number): Tensor {
    const ready = this.tensors[ref];
    if (ready) return ready;
    const shape = this.shapeOf[ref];
    const arena = shape && this.arenas[this.dtypeOf[ref]!];
    if (!shape || !arena) throw new TraceError(`tensor ${ref} does not exist; there are ${this.shapeOf.length}`);
    const size = shape.reduce((product, n) => product * n, 1);
    const from = this.offsetOf[ref]!;
    if (from + size > arena.length) throw new TraceError(`tensor ${ref} reaches beyond its arena; the document is damaged`);
    const tensor = new Tensor(shape, arena.subarray(from, from + size));
    this.tensors[ref] = tensor;
    return tensor;
  }

  value(node: number): Tensor {
    return this.tensor(this.nodes[node]!.value);
  }

  /** This trace as it reads after the update, each value that of the forward pass with the new parameters; null where it holds none. */
  get updated(): Trace | null {
    const values = this.after?.values;
    if (!values) return null;
    const value = (node: number): Tensor => values.get(node) ?? this.value(node);
    this.updatedView ??= Object.create(this, { value: { value } }) as Trace;
    return this.updatedView;
  }

  /** The complete gradient, or null where none arrived. */
  gradient(node: number): Tensor | null {
    const ref = this.nodes[node]!.gradient;
    return ref === null || ref === undefined ? null : this.tensor(ref);
  }

  node(idOrPath: number | string): TraceNode {
    const node = typeof idOrPath === "number" ? this.nodes[idOrPath] : this.byPath.get(idOrPath);
    if (!node) throw new TraceError(`there is no node ${JSON.stringify(idOrPath)} in this trace`);
    return node;
  }

  /** Whether values of the film were changed, or gradients cut off. */
  get edited(): boolean {
    return this.parent !== null;
  }

  /** What is read by reading `node`: a muted use, and one at a border of truncation, reads through a node that passes the value on. */
  through(node: number): number {
    let at = node;
    while (this.nodes[at]!.op === "truncate") at = this.nodes[at]!.inputs[0]!;
    return at;
  }

  /** Whether an edit cut off the gradient that would come back through input `port` of `node`. */
  isMuted(node: number, port: number): boolean {
    const { path, time, inputs } = this.nodes[node]!;
    if (this.nodes[inputs[port]!]?.op !== "truncate") return false;
    return this.mutes.some((mute) =>
      typeof mute.time === "number" ? mute.time === time && this.nodes[this.through(inputs[port]!)]!.role === "parameter" : (mute.node === path || mute.node === node) && (mute.port ?? port) === port,
    );
  }

  /** What was computed where `node` puts typed numbers in its place; null for any other node. */
  typedOver(node: number): number | null {
    const { op, inputs } = this.nodes[node]!;
    return op === "where" && this.nodes[inputs[0]!]!.path === `${this.nodes[inputs[2]!]!.path}/edited` ? inputs[2]! : null;
  }

  /** Whether there is a node of this path. */
  has(path: string): boolean {
    return this.byPath.has(path);
  }

  /** Who uses a node, and at which input. */
  consumers(node: number): readonly Consumer[] {
    return this.consumersOf[node] ?? [];
  }
}
