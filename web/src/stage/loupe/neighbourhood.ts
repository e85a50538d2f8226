/** What stands beside a gradient under the loupe: the same element at other time steps, the elements beside it; in a graph without time what it is made of and what uses it. Pure. */
import type { Film } from "../../model/film";
import { shares, type NetworkGrid } from "../../model/network";
import type { Tensor } from "../../model/trace";
import { shownNode } from "../../whatif/edits";
import type { LoupeSubject } from "./lanes";

export interface LoupeRow {
  /** The time step, the index of the element, or the node. */
  of: { t: number } | { index: number[] } | { node: number };
  /** Null: it has not arrived. */
  value: number | null;
  /** The number looked at. */
  here: boolean;
}

export interface Neighbourhood {
  value: number;
  /** By time step. */
  time: LoupeRow[];
  elements: LoupeRow[];
  /** From the loss backward: what uses the node, the node, its inputs. */
  edges: LoupeRow[];
}

const EDGES = 3; // of each kind

/** At most `most` rows of time and of elements. Null: no gradient has arrived. */
export function neighbourhood(film: Film, grid: NetworkGrid | null, moment: number, subject: LoupeSubject, most: { time: number; elements: number }): Neighbourhood | null {
  const { node, index, step, written = (g: number) => g } = subject;
  const tensor = step === undefined ? film.gradient(node, moment) : (shares(film, node, moment).find((share) => share.t === step && share.arrived)?.tensor ?? null);
  if (!tensor) return null;
  const value = written(tensor.at(index));
  const time = step === undefined ? throughTime(film, moment, subject, most.time) : ofShares(film, moment, subject, most.time);
  const elements = beside(tensor, index, grid?.hidden ?? null, most.elements).map((at) => ({ of: { index: at }, value: written(tensor.at(at)), here: String(at) === String(index) }));
  const graph = grid === null && time.length < 2;
  return { value, time: time.length > 1 ? time : [], elements: elements.length > 1 ? elements : [], edges: graph ? alongEdges(film, moment, node, value) : [] };
}

/** The rows around the one looked at. */
function around<Row extends { here: boolean }>(rows: Row[], most: number): Row[] {
  const from = Math.max(0, Math.min(rows.length - most, rows.findIndex((row) => row.here) - (most >> 1)));
  return rows.slice(from, from + most);
}

/** The node that stands at another step where `node` does at its own; null where there is none. */
function counterpart(film: Film, node: number, t: number): number | null {
  const { trace } = film;
  const { path, time } = trace.nodes[trace.typedOver(node) ?? node]!;
  return shownNode(trace, path.replace(`t=${time}/`, `t=${t}/`));
}

function throughTime(film: Film, moment: number, { node, index, written = (g) => g }: LoupeSubject, most: number): LoupeRow[] {
  const { time, shape } = film.trace.nodes[node]!;
  if (time === null) return [];
  const rows: LoupeRow[] = [];
  const row = (t: number): LoupeRow | null => {
    const other = t === time ? node : counterpart(film, node, t);
    const there = other === null ? null : film.trace.nodes[other]!.shape;
    if (other === null || there!.length !== shape.length || index.some((at, axis) => at >= there![axis]!)) return null; // the example has ended
    const value = film.gradient(other, moment)?.at(index) ?? null;
    return { of: { t }, value: value === null ? null : written(value), here: t === time };
  };
  for (let t = time; t > time - most; t--) {
    const one = row(t);
    if (!one) break;
    rows.unshift(one);
  }
  for (let t = time + 1; t < time + most; t++) {
    const one = row(t);
    if (!one) break;
    rows.push(one);
  }
  return around(rows, most);
}

function ofShares(film: Film, moment: number, { node, index, step }: LoupeSubject, most: number): LoupeRow[] {
  const rows = shares(film, node, moment).flatMap(({ t, tensor, arrived }) => (t === null ? [] : [{ of: { t }, value: arrived ? tensor.at(index) : null, here: t === step }]));
  return around(rows.sort((one, other) => one.of.t - other.of.t), most);
}

/** Indices along the last axis that has several elements; of gates that are put side by side only those of the same gate. */
function beside({ shape }: Tensor, index: readonly number[], hidden: number | null, most: number): number[][] {
  const axis = shape.findLastIndex((size) => size > 1);
  if (axis < 0) return [];
  const size = shape[axis]!;
  const block = hidden !== null && size % hidden === 0 ? hidden : size;
  const from = Math.floor(index[axis]! / block) * block;
  const rows = Array.from({ length: block }, (_, k) => ({ at: index.with(axis, from + k), here: from + k === index[axis] }));
  return around(rows, most).map(({ at }) => at);
}

function alongEdges(film: Film, moment: number, node: number, value: number): LoupeRow[] {
  const { trace } = film;
  const row = (other: number): LoupeRow[] => {
    if (trace.nodes[other]!.gradient === null) return [];
    const gradient = film.gradient(other, moment);
    return [{ of: { node: other }, value: gradient && strongest(gradient), here: false }];
  };
  const uses = [...new Set(trace.consumers(node).map((use) => use.node))].slice(0, EDGES);
  const inputs = [...new Set(trace.nodes[node]!.inputs)].slice(0, EDGES);
  const rows = [...uses.toReversed().flatMap(row), { of: { node }, value, here: true }, ...inputs.flatMap(row)];
  return rows.length > 1 ? rows : [];
}

/** The element of greatest magnitude. */
function strongest({ data }: Tensor): number {
  let best = data[0] ?? 0;
  for (const x of data) if (Math.abs(x) > Math.abs(best)) best = x;
  return best;
}
