// A network's trace as a grid: a row a layer and direction, one column a time step, named parts of each cell, parameters, read-out, loss.

import type { Film } from "./film";
import { decimals } from "./format";
import { along, norm } from "./norm";
import { inStack, parameterTex, stackOf, type Stack } from "./stack";
import type { NetworkProgram } from "./program";
import { Tensor, type Batch, type Numbers, type Trace, type TraceNode } from "./trace";

export { norm } from "./norm";
export { parameterTex } from "./stack";

/** Rows of the gates in the stacked weights, as PyTorch orders them. */
export const GATES: Record<string, string> = { lstm: "ifgo", gru: "rzn", rnn: "" };

export interface Column {
  t: number;
  /** Nodes: the input of the step (above the first layer: what the layer below gives), the states after it, what tanh is applied to (RNN; LSTM: all four gates before activation). */
  x: number;
  h: number;
  c: number | null;
  a: number | null;
  gates: Map<string, number>;
  probe: Probe | null;
  /** Examples still running at this step. */
  rows: number;
  /** All nodes of the step, the prediction's included. */
  nodes: number[];
}

interface Probe {
  logits: number | null;
  p: number | null;
  yHat: number | null;
}

export interface GridParameter {
  node: number;
  name: string;
  tex: string;
}

/** One layer in one direction: its cells through time. */
export interface Chain {
  /** The end of its parameters' names: `l0`, `l1_reverse`. */
  readonly suffix: string;
  /** From 0. */
  readonly layer: number;
  readonly reverse: boolean;
  readonly columns: readonly Column[];
  readonly initial: { h: number; c: number | null };
}

interface Parts {
  cell: NetworkProgram["cell"];
  hidden: number;
  stack: Stack;
  chains: Chain[];
  parameters: GridParameter[];
  head: { logits: number | null; yHat: number | null };
  loss: number;
  batch: Batch;
}

export class NetworkGrid {
  private readonly others: NetworkGrid[];

  /** `shown` is the chain that is looked at; the same grid with another one is made once. */
  private constructor(
    private readonly parts: Parts,
    readonly shown: Chain,
    others?: NetworkGrid[],
  ) {
    this.others = others ?? [];
    this.others.push(this);
  }

  get cell(): NetworkProgram["cell"] {
    return this.parts.cell;
  }

  get hidden(): number {
    return this.parts.hidden;
  }

  get stack(): Stack {
    return this.parts.stack;
  }

  /** Layer by layer from the input, forward before reverse. */
  get chains(): readonly Chain[] {
    return this.parts.chains;
  }

  get parameters(): GridParameter[] {
    return this.parts.parameters;
  }

  get head(): Parts["head"] {
    return this.parts.head;
  }

  get loss(): number {
    return this.parts.loss;
  }

  get batch(): Batch {
    return this.parts.batch;
  }

  get columns(): readonly Column[] {
    return this.shown.columns;
  }

  get initial(): Chain["initial"] {
    return this.shown.initial;
  }

  get examples(): Batch["examples"] {
    return this.batch.examples;
  }

  get readout(): Batch["readout"] {
    return this.batch.readout;
  }

  get kind(): Batch["kind"] {
    return this.batch.kind;
  }

  /** Whether the read-out, or nothing else, reads the shown chain's states: those of the top layer. */
  get top(): boolean {
    return this.shown.layer === this.stack.layers - 1;
  }

  /** The grid of a network's trace, its top layer shown; null for an expression's. */
  static of(trace: Trace): NetworkGrid | null {
    const { program, batch } = trace;
    if (program.kind !== "network" || !batch) return null;
    const stack = stackOf(trace);
    const builders = Array.from({ length: stack.layers * (stack.bidirectional ? 2 : 1) }, (_, k) => builder(stack, k));
    const bySuffix = new Map(builders.map((one) => [one.suffix, one]));
    const probes = new Map<number, Probe>();
    const head = { logits: null as number | null, yHat: null as number | null };
    const parameters: GridParameter[] = [];
    for (const node of trace.nodes) {
      if (node.role === "parameter") parameters.push({ node: node.id, name: node.path, tex: parameterTex(node.path, stack) ?? node.path });
      if (node.op === null && /^[hc]_0/.test(node.label ?? "")) {
        const initial = bySuffix.get(node.label!.slice(4) || "l0")?.initial;
        if (initial) initial[node.label![0] as "h" | "c"] = node.id;
      }
      if (node.scope === "head" && node.label === "logits") head.logits = node.id;
      if (node.scope === "head" && node.label === "y_hat") head.yHat = node.id;
      if (node.time === null) continue;
      const place = placeOf(node, program.cell);
      if (place) put(bySuffix.get(place.suffix), node, place.gate, trace);
      else if (node.scope === `predict/t=${node.time}`) probe(probes, node);
    }
    const chains = builders.map(({ suffix, layer, reverse, initial, columns }): Chain => {
      const ordered = [...columns.values()].filter((column) => column.h >= 0).sort((one, other) => one.t - other.t);
      for (const column of ordered) column.probe = probes.get(column.t) ?? null;
      return { suffix, layer, reverse, initial, columns: ordered };
    });
    const parts: Parts = { cell: program.cell, hidden: program.hidden_size, stack, chains, parameters, head, loss: trace.loss, batch };
    return new NetworkGrid(parts, chains[(stack.layers - 1) * (stack.bidirectional ? 2 : 1)]!);
  }

  /** The same grid with another chain shown. */
  showing(chain: Chain | null): NetworkGrid {
    if (chain === null || chain === this.shown) return this;
    return this.others.find((grid) => grid.shown === chain) ?? new NetworkGrid(this.parts, chain, this.others);
  }

  /** The chain that a node belongs to, by its scope or (a parameter) by its name; null for one of the read-out, the loss, the inputs. */
  chainOf(node: TraceNode): Chain | null {
    const suffix = node.role === "parameter" ? /_(l\d+(?:_reverse)?)$/.exec(node.path)?.[1] : (placeOf(node, this.cell)?.suffix ?? initialSuffix(node));
    return this.chains.find((chain) => chain.suffix === suffix) ?? null;
  }

  column(t: number): Column | null {
    return this.shown.columns[t - 1] ?? null;
  }

  /** The step whose state step t starts from, in the chain's own direction; that of a reverse chain is the next in time. */
  previous(t: number): number {
    return this.shown.reverse ? t + 1 : t - 1;
  }

  /** The state that step t of an example starts from: the initial one at the chain's first step of that example. */
  stateBefore(t: number, example = 0): { h: number; c: number | null } {
    const column = this.column(this.previous(t));
    return column && example < column.rows ? column : this.initial;
  }

  /** Whether step t is where the shown chain begins to read an example of `steps` steps. */
  begins(t: number, steps: number): boolean {
    return this.shown.reverse ? t >= steps : t <= 1;
  }

  /** A part of the shown chain (`weight_hh`, `bias_ih`), or the parameter of a PyTorch name (`weight_hh_l0`, `head.weight`). */
  parameter(name: string): GridParameter | null {
    return this.parameters.find((parameter) => [name, `rnn.${name}`, `rnn.${name}_${this.shown.suffix}`].includes(parameter.name)) ?? null;
  }

  /** An equation of the first layer, forward (`x_{t}`, `h_{t-1}`), as it reads in the shown chain. */
  equation(tex: string): string {
    return inStack(tex, this.shown, this.stack);
  }
}

interface Builder {
  suffix: string;
  layer: number;
  reverse: boolean;
  initial: { h: number; c: number | null };
  columns: Map<number, Column>;
}

function builder(stack: Stack, k: number): Builder {
  const directions = stack.bidirectional ? 2 : 1;
  const [layer, reverse] = [Math.floor(k / directions), k % directions === 1];
  return { suffix: `l${layer}${reverse ? "_reverse" : ""}`, layer, reverse, initial: { h: -1, c: null }, columns: new Map() };
}

/** Where a node of a cell stands: the chain, and the gate whose scope it is in; null for a node outside the cells. */
export function placeOf(node: TraceNode, cell: string): { suffix: string; gate: string | null } | null {
  if (!node.scope.startsWith(`${cell}/`)) return null;
  const match = /^(?:(l\d+(?:_reverse)?)\/)?t=\d+(?:\/(.+))?$/.exec(node.scope.slice(cell.length + 1));
  return match && { suffix: match[1] ?? "l0", gate: match[2] ?? null };
}

const initialSuffix = (node: TraceNode): string | null => (node.op === null && /^[hc]_0/.test(node.label ?? "") ? node.label!.slice(4) || "l0" : null);

function put(chain: Builder | undefined, node: TraceNode, gate: string | null, trace: Trace): void {
  if (!chain) return;
  const t = node.time!;
  let column = chain.columns.get(t);
  if (!column) {
    column = { t, x: -1, h: -1, c: null, a: null, gates: new Map(), probe: null, rows: 0, nodes: [] };
    chain.columns.set(t, column);
  }
  column.nodes.push(node.id);
  if (gate !== null) {
    if (node.label === gate) column.gates.set(gate, node.id);
    return;
  }
  if (node.op === "linear" && trace.nodes[trace.through(node.inputs[1]!)]!.path.includes("weight_ih")) column.x = trace.through(node.inputs[0]!);
  if (node.label === "c") column.c = node.id;
  if (node.label === "a") column.a = node.id;
  if (node.label === "h") {
    column.h = node.id;
    column.rows = node.shape[0] ?? 0;
  }
}

function probe(probes: Map<number, Probe>, node: TraceNode): void {
  let found = probes.get(node.time!);
  if (!found) probes.set(node.time!, (found = { logits: null, p: null, yHat: null }));
  if (node.label === "logits") found.logits = node.id;
  if (node.label === "p") found.p = node.id;
  if (node.label === "y_hat") found.yHat = node.id;
}

/** In the place of an example's row: all rows together. */
export const ALL = -1;

/** Row `example` of a tensor (examples come first), a view; of ALL rows the mean. The whole tensor when it has no rows. */
export function slice(tensor: Tensor, example: number): Numbers {
  if (tensor.shape.length === 0) return tensor.data;
  const rows = Math.max(1, tensor.shape[0]!);
  if (example === ALL) return together(tensor).map((sum) => sum / rows);
  const width = tensor.size / rows;
  return tensor.data.subarray(example * width, (example + 1) * width);
}

const sums = new WeakMap<Tensor, Float64Array>();

/** The sum over all rows. */
function together(tensor: Tensor): Float64Array {
  let sum = sums.get(tensor);
  if (!sum) {
    const width = tensor.size / Math.max(1, tensor.shape[0]!);
    sum = new Float64Array(width);
    for (let i = 0; i < tensor.size; i++) sum[i % width]! += tensor.data[i]!;
    sums.set(tensor, sum);
  }
  return sum;
}

/**
 * A gradient's row `example`, a view; of ALL rows their sum. The loss of a batch is a mean, so each recorded row holds its share of it, and
 * the sum is what a change of the number in every example alike would do to the loss.
 */
export function gradientSlice(tensor: Tensor, example: number): Numbers {
  return example === ALL && tensor.shape.length > 0 ? together(tensor) : slice(tensor, example);
}

/** The norm of one example's dL/dh_t (or dL/dc_t) as far as it has arrived; null when nothing has, or the example has ended. */
export function gradientNorm(film: Film, grid: NetworkGrid, t: number, example: number, m: number, which: "h" | "c" = "h"): number | null {
  const column = grid.column(t);
  const node = which === "h" ? column?.h : column?.c;
  if (!column || node === undefined || node === null || example >= column.rows) return null;
  const gradient = film.gradient(node, m);
  return gradient && norm(gradientSlice(gradient, example));
}

/**
 * What the hop from step t to the one before it (t-1; in a reverse chain t+1) multiplies the gradient's norm by: ||dL/dh_(t-1)|| / ||dL/dh_t||
 * (or c); NaN where one of them is not finite. Null until the whole gradient has arrived there, where there is nothing to compare, and where the state also sends its gradient
 * elsewhere: to a loss at every step, to the layer above, or (of ALL examples) to the losses of those that end there.
 */
export function hopFactor(film: Film, grid: NetworkGrid, t: number, example: number, m: number, which: "h" | "c" = "h"): number | null {
  const earlier = grid.previous(t);
  const to = grid.column(earlier)?.[which] ?? null;
  if (to === null || grid.readout === "every" || !grid.top || example === ALL || !film.complete(to, m)) return null;
  const [before, after] = [gradientNorm(film, grid, earlier, example, m, which), gradientNorm(film, grid, t, example, m, which)];
  if (before === null || after === null || after === 0) return null;
  return Number.isFinite(before) && Number.isFinite(after) ? before / after : NaN;
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
      share.along = whole ? along(share.tensor.data, whole.data, size) : 0;
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

/** What a step is called beside its number: the year, in a series whose text says from which to which; "" elsewhere. */
export function stepLabel(trace: Trace, example: number, t: number): string {
  const { display, examples } = trace.batch ?? {};
  const sequence = examples?.[example];
  const years = display === "series" && sequence ? /^(\d{4})\u2013(\d{4})$/.exec(sequence.text) : null;
  return years && Number(years[2]) - Number(years[1]) === sequence!.length - 1 ? String(Number(years[1]) + t - 1) : "";
}

/** Whether a class is to be told at every step, each with a target of its own. */
export function classesEach(grid: NetworkGrid): boolean {
  return grid.kind === "classification" && grid.readout === "every";
}

/** The class that is right after step t of an example; null where there is none. */
export function classTarget(grid: NetworkGrid, example: number, t: number): number | null {
  const target = grid.examples[example]?.target;
  const right = Array.isArray(target) ? target[t - 1] : target;
  return grid.kind === "classification" && typeof right === "number" ? right : null;
}

/**
 * The classes that prediction cards show, in the order of their numbers: the target and the three most probable at the example's last step,
 * the same in every column; at step t itself where every step has a target.
 */
export function shownClasses(film: Film, grid: NetworkGrid, example: number, t: number | null = null, count = 4): number[] {
  const { examples } = grid;
  if (example === ALL) return likelyClasses(film, grid, count);
  const sequence = examples[example];
  const at = (classesEach(grid) ? t : null) ?? sequence?.length ?? 0;
  const last = grid.column(at);
  if (!sequence || !last?.probe || last.probe.p === null) return [];
  const p = slice(film.trace.value(last.probe.p), example);
  const ranked = Array.from(p.keys()).sort((one, other) => p[other]! - p[one]!);
  const target = classTarget(grid, example, at)!;
  return [target, ...ranked.filter((k) => k !== target)].slice(0, count).sort((one, other) => one - other);
}

/** The classes that are most probable on the mean of all examples' answers. */
function likelyClasses(film: Film, grid: NetworkGrid, count: number): number[] {
  const mean: number[] = [];
  grid.examples.forEach((sequence, row) => {
    const p = grid.column(sequence.length)?.probe?.p ?? null;
    if (p !== null) slice(film.trace.value(p), row).forEach((share, k) => (mean[k] = (mean[k] ?? 0) + share));
  });
  return [...mean.keys()].sort((one, other) => mean[other]! - mean[one]!).slice(0, count).sort((one, other) => one - other);
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
    const classes = shownClasses(film, grid, example, t);
    return { classes, p: classes.map((k) => row[k]!) };
  }
  if (yHat !== null && film.known(yHat, m)) return { yHat: Array.from(slice(film.trace.value(yHat), example)) };
  return null;
}
