// A network's trace as a grid: one column a time step, named parts of each cell, parameters, read-out, loss.

import type { Film } from "./film";
import { decimals } from "./format";
import { Tensor, type Batch, type NetworkProgram, type Numbers, type Trace, type TraceNode } from "./trace";

export interface Column {
  t: number;
  /** Nodes: the input of the step, the states after it, what tanh is applied to (RNN; LSTM: all four gates before activation). */
  x: number;
  h: number;
  c: number | null;
  a: number | null;
  gates: Map<string, number>;
  probe: { logits: number | null; p: number | null; yHat: number | null } | null;
  /** Examples still running at this step. */
  rows: number;
  /** All nodes of the step, the prediction's included. */
  nodes: number[];
}

export interface GridParameter {
  node: number;
  name: string;
  tex: string;
}

const PARAMETERS: Record<string, string> = {
  "rnn.weight_ih_l0": "W_{\\mathrm{ih}}",
  "rnn.weight_hh_l0": "W_{\\mathrm{hh}}",
  "rnn.bias_ih_l0": "b_{\\mathrm{ih}}",
  "rnn.bias_hh_l0": "b_{\\mathrm{hh}}",
  "head.weight": "W_{\\mathrm{ho}}",
  "head.bias": "b_{\\mathrm{o}}",
};

/** The symbol of a parameter that people know, or null. */
export function parameterTex(path: string): string | null {
  return PARAMETERS[path] ?? null;
}

export class NetworkGrid {
  private constructor(
    readonly cell: NetworkProgram["cell"],
    readonly hidden: number,
    readonly columns: Column[],
    readonly initial: { h: number; c: number | null },
    readonly parameters: GridParameter[],
    readonly head: { logits: number | null; yHat: number | null },
    readonly loss: number,
    readonly batch: Batch,
  ) {}

  get examples(): Batch["examples"] {
    return this.batch.examples;
  }

  get readout(): Batch["readout"] {
    return this.batch.readout;
  }

  get kind(): Batch["kind"] {
    return this.batch.kind;
  }

  /** The grid of a network's trace; null for an expression's. */
  static of(trace: Trace): NetworkGrid | null {
    const { program, batch } = trace;
    if (program.kind !== "network" || !batch) return null;
    const columns = new Map<number, Column>();
    const initial = { h: -1, c: null as number | null };
    const head = { logits: null as number | null, yHat: null as number | null };
    const parameters: GridParameter[] = [];
    for (const node of trace.nodes) {
      if (node.role === "parameter") parameters.push({ node: node.id, name: node.path, tex: parameterTex(node.path) ?? node.path });
      if (node.op === null && node.label === "h_0") initial.h = node.id;
      if (node.op === null && node.label === "c_0") initial.c = node.id;
      if (node.scope === "head" && node.label === "logits") head.logits = node.id;
      if (node.scope === "head" && node.label === "y_hat") head.yHat = node.id;
      if (node.time !== null) place(columns, node, program.cell);
    }
    const ordered = [...columns.values()].filter((column) => column.h >= 0).sort((one, other) => one.t - other.t);
    return new NetworkGrid(program.cell, program.hidden_size, ordered, initial, parameters, head, trace.loss, batch);
  }

  column(t: number): Column | null {
    return this.columns[t - 1] ?? null;
  }

  /** The state before step t: the initial one at t = 1. */
  stateBefore(t: number): { h: number; c: number | null } {
    return t <= 1 ? this.initial : (this.column(t - 1) ?? this.initial);
  }

  /** The parameter of a PyTorch name (`weight_hh_l0`, `head.weight`). */
  parameter(name: string): GridParameter | null {
    return this.parameters.find((parameter) => parameter.name === name || parameter.name === `rnn.${name}`) ?? null;
  }
}

function place(columns: Map<number, Column>, node: TraceNode, cell: string): void {
  const t = node.time!;
  let column = columns.get(t);
  if (!column) {
    column = { t, x: -1, h: -1, c: null, a: null, gates: new Map(), probe: null, rows: 0, nodes: [] };
    columns.set(t, column);
  }
  column.nodes.push(node.id);
  if (!node.label) return;
  const scope = `${cell}/t=${t}`;
  if (node.scope === scope) {
    if (node.label === "x") column.x = node.id;
    if (node.label === "c") column.c = node.id;
    if (node.label === "a") column.a = node.id;
    if (node.label === "h") {
      column.h = node.id;
      column.rows = node.shape[0] ?? 0;
    }
  } else if (node.scope === `${scope}/${node.label}`) {
    column.gates.set(node.label, node.id);
  } else if (node.scope === `predict/t=${t}`) {
    column.probe ??= { logits: null, p: null, yHat: null };
    if (node.label === "logits") column.probe.logits = node.id;
    if (node.label === "p") column.probe.p = node.id;
    if (node.label === "y_hat") column.probe.yHat = node.id;
  }
}

/** Row `example` of a tensor (examples come first); the whole tensor when it has no rows. A view. */
export function slice(tensor: Tensor, example: number): Numbers {
  if (tensor.shape.length === 0) return tensor.data;
  const width = tensor.size / Math.max(1, tensor.shape[0]!);
  return tensor.data.subarray(example * width, (example + 1) * width);
}

export function norm(data: Numbers): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!;
  return Math.sqrt(sum);
}

/** The norm of one example's dL/dh_t (or dL/dc_t) as far as it has arrived; null when nothing has, or the example has ended. */
export function gradientNorm(film: Film, grid: NetworkGrid, t: number, example: number, m: number, which: "h" | "c" = "h"): number | null {
  const column = grid.column(t);
  const node = which === "h" ? column?.h : column?.c;
  if (!column || node === undefined || node === null || example >= column.rows) return null;
  const gradient = film.gradient(node, m);
  return gradient && norm(slice(gradient, example));
}

/**
 * What the hop from step t to step t-1 multiplies the gradient's norm by: ||dL/dh_(t-1)|| / ||dL/dh_t|| (or c). Null until the whole gradient
 * has arrived at t-1, where there is nothing to compare, and where every step has a loss: there t-1 also holds the gradient of its own.
 */
export function hopFactor(film: Film, grid: NetworkGrid, t: number, example: number, m: number, which: "h" | "c" = "h"): number | null {
  const to = grid.column(t - 1)?.[which] ?? null;
  if (to === null || grid.readout === "every" || !film.complete(to, m)) return null;
  const [before, after] = [gradientNorm(film, grid, t - 1, example, m, which), gradientNorm(film, grid, t, example, m, which)];
  return before === null || after === null || after === 0 ? null : before / after;
}

export interface Share {
  t: number | null;
  tensor: Tensor;
  arrived: boolean;
  /** <G_t, G> / ||G|| with the complete sum G: these add up to ||G||, norms do not. */
  along: number;
}

const shareCache = new WeakMap<Film, Map<number, { t: number | null; tensor: Tensor; last: number; along: number }[]>>();

/** A parameter's gradient by time step, in order of arrival; several contributions of one step are added. */
export function shares(film: Film, parameter: number, m: number): Share[] {
  let cache = shareCache.get(film);
  if (!cache) shareCache.set(film, (cache = new Map()));
  let list = cache.get(parameter);
  if (!list) {
    list = [];
    for (const contribution of film.contributions(parameter)) {
      const same = list.find((share) => share.t === contribution.time);
      if (!same) {
        list.push({ t: contribution.time, tensor: contribution.tensor(), last: contribution.arrived, along: 0 });
        continue;
      }
      const data = same.tensor.data.slice() as Numbers;
      const part = contribution.tensor().data;
      for (let i = 0; i < data.length; i++) data[i]! += part[i]!;
      same.tensor = new Tensor(same.tensor.shape, data);
      same.last = contribution.arrived;
    }
    const whole = film.trace.gradient(parameter);
    const size = whole ? norm(whole.data) : 0;
    for (const share of list) {
      let dot = 0;
      if (whole) for (let i = 0; i < whole.size; i++) dot += whole.data[i]! * share.tensor.data[i]!;
      share.along = size === 0 ? 0 : dot / size;
    }
    cache.set(parameter, list);
  }
  return list.map(({ t, tensor, last, along }) => ({ t, tensor, along, arrived: last < m }));
}

/** What stands in an input box: a letter, a number, a pair's number with its mark; nothing for a row of pixels. */
export function tokenText(trace: Trace, example: number, t: number): string {
  const token = trace.batch?.examples[example]?.tokens[t - 1];
  if (token === undefined) return "";
  if (typeof token === "string") return token;
  if (typeof token === "number") return decimals(token, 2, false);
  return trace.batch?.display === "pairs" ? `${decimals(token[0]!, 2, false)}${token[1] ? " \u2022" : ""}` : "";
}

/** The classes that prediction cards show: the target and the three most probable at the example's last step, in the order of their numbers. */
export function shownClasses(film: Film, grid: NetworkGrid, example: number, count = 4): number[] {
  const { examples } = grid;
  const sequence = examples[example];
  const last = sequence && grid.column(sequence.length);
  if (!sequence || !last?.probe || last.probe.p === null) return [];
  const p = slice(film.trace.value(last.probe.p), example);
  const ranked = Array.from(p.keys()).sort((one, other) => p[other]! - p[one]!);
  const target = sequence.target as number;
  return [target, ...ranked.filter((k) => k !== target)].slice(0, count).sort((one, other) => one - other);
}

/** The prediction after step t, as far as the film has come: shown classes with their probabilities, or the predicted numbers. */
export function prediction(
  film: Film,
  grid: NetworkGrid,
  t: number,
  example: number,
  m: number,
): { classes: number[]; p: number[] } | { yHat: number[] } | null {
  const column = grid.column(t);
  if (!column?.probe || example >= column.rows) return null;
  const { p, yHat } = column.probe;
  if (p !== null && film.known(p, m)) {
    const row = slice(film.trace.value(p), example);
    const classes = shownClasses(film, grid, example);
    return { classes, p: classes.map((k) => row[k]!) };
  }
  if (yHat !== null && film.known(yHat, m)) return { yHat: Array.from(slice(film.trace.value(yHat), example)) };
  return null;
}
