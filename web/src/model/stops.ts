// Where the transport stops: by event, by op, by cell (the stretches people think in), by phase.

import type { Film } from "./film";
import { placeIn } from "./stack";
import type { Phase, TraceNode } from "./trace";

export type Stride = "event" | "op" | "cell" | "phase";

export interface Beat {
  from: number;
  to: number;
  phase: Phase;
  time: number | null;
  what: "step" | "join" | "head" | "loss" | "clip" | "zero" | "update";
  parameter?: number;
  /** Which layer and direction a step is of: the end of its parameters' names (`l1_reverse`). Of a join: the layer whose directions are joined (`l0`). */
  chain?: string;
}

type Stretch = Omit<Beat, "from" | "to">;

/** The stretches between two cell stops, in order and without gaps. Without a recurrence every op is a stretch of its own. */
export function beats(film: Film): Beat[] {
  const { events, nodes } = film.trace;
  const recurrent = nodes.some((node) => node.time !== null && node.role !== "probe");
  const times = recurrent ? timesOf(film) : null;
  const list: Beat[] = [];
  for (let e = 0; e < film.length; e++) {
    const last = list.at(-1);
    const stretch = describe(film, e, times);
    const joined =
      last && last.phase === stretch.phase && last.what === stretch.what && last.time === stretch.time && last.chain === stretch.chain && last.parameter === stretch.parameter;
    const sameOp = last !== undefined && joined && (recurrent || stretch.what !== "step" || events.node(last.from) === events.node(e));
    if (last && sameOp && events.kind(e) !== "seed") last.to = e + 1;
    else list.push({ from: e, to: e + 1, ...stretch });
  }
  return list;
}

function describe(film: Film, e: number, times: Place[] | null): Stretch {
  const { events } = film.trace;
  const phase = events.phase(e);
  switch (events.kind(e)) {
    case "zero_grad":
      return { phase, time: null, what: "zero" };
    case "clip":
      return { phase, time: null, what: "clip" };
    case "update":
      return { phase, time: null, what: "update", parameter: events.node(e) };
    default: {
      if (phase === "loss") return { phase, time: null, what: "loss" };
      const { time, chain, joins } = times?.[e] ?? NOWHERE;
      if (joins) return { phase, time: null, what: "join", chain };
      return { phase, time, what: times && time === null ? "head" : "step", chain: time === null ? undefined : chain };
    }
  }
}

interface Place {
  time: number | null;
  chain: string | undefined;
  joins: boolean;
}

const NOWHERE: Place = { time: null, chain: undefined, joins: false };

/** The step, layer and direction of a node's own scope; null for one outside time. */
function placeOf({ scope, time }: TraceNode): Place | null {
  if (time === null) return null;
  const place = placeIn(scope);
  return { time, chain: place ? `l${place.layer}${place.reverse ? "_reverse" : ""}` : undefined, joins: place?.both ?? false };
}

/**
 * The time step each event belongs to, and whose it is. What has no time of its own but lies between two steps (rows of sequences that have ended) belongs
 * to the step before it; what lies outside the recurrence is the read-out.
 */
function timesOf(film: Film): Place[] {
  const { events, nodes } = film.trace;
  const own = Array.from({ length: film.length }, (_, e) => (events.node(e) < 0 ? null : placeOf(nodes[events.node(e)]!)));
  const last = { forward: -1, backward: -1 };
  own.forEach((place, e) => {
    const phase = events.phase(e);
    if (place !== null && (phase === "forward" || phase === "backward")) last[phase] = e;
  });
  let running: Place | null = null;
  let before: Phase | null = null;
  return own.map((place, e) => {
    const phase = events.phase(e);
    if (phase !== before) running = null;
    before = phase;
    if (place !== null) return (running = place);
    return ((phase === "forward" && e < last.forward) || phase === "backward" ? running : null) ?? NOWHERE;
  });
}

/** Ascending moments, 0 and the last one included. */
export function stops(film: Film, stride: Stride): number[] {
  const list = [0];
  const { events } = film.trace;
  switch (stride) {
    case "event":
      for (let m = 1; m <= film.length; m++) list.push(m);
      break;
    case "op":
      for (let m = 1; m <= film.length; m++) {
        const next = m < film.length && events.node(m) === events.node(m - 1) && events.phase(m) === events.phase(m - 1);
        if (!next || events.node(m) < 0) list.push(m);
      }
      break;
    case "cell":
      for (const beat of beats(film)) list.push(beat.to);
      break;
    case "phase":
      for (const span of film.phases) list.push(span.to);
      break;
  }
  return list;
}

/** The first stop after m; the last stop when there is none. */
export function nextStop(list: readonly number[], m: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]! <= m) low = middle + 1;
    else high = middle;
  }
  return list[Math.min(low, list.length - 1)]!;
}

/** The last stop before m; the first stop when there is none. */
export function previousStop(list: readonly number[], m: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]! < m) low = middle + 1;
    else high = middle;
  }
  return list[Math.max(0, low - 1)]!;
}
