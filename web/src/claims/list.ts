/** Statements that many believe, each with the film that shows what is true of it: where it stands, what is done, and the film's own numbers. */
import type { Program } from "../api/types";
import type { Session } from "../app/session.svelte";
import type { Target } from "../model/explain";
import type { Film } from "../model/film";
import { decimals, power, six, three } from "../model/format";
import { ALL, gradientNorm, hopFactor, NetworkGrid, norm, shares, slice } from "../model/network";
import type { NetworkProgram } from "../model/program";
import type { Tensor, Trace } from "../model/trace";
import { cutsOf } from "../model/truncation";
import { change, editsOf } from "../whatif/actions";
import { lists, withKept, withMuted, withMutedStep, withNumber, withTensor } from "../whatif/edits";
import { symbolsOf } from "../whatif/words";

export const CLAIMS = [
  "backward_moves", "weights_differ", "gradient_is_error", "forks_average", "vanishing_zero", "only_slopes", "lstm_never_forgets",
  "clipping_cures", "truncation_cuts_memory", "big_gradient_big_step", "decay_is_gradient", "backward_resets", "inputs_learn",
] as const;
export type ClaimId = (typeof CLAIMS)[number];

type Params = Record<string, string | number>;

export interface Claim {
  page: "network" | "expression";
  /** What of the inspector it speaks of, beside the number itself: that is brought into view. */
  shows?: "rows" | "levers";
  /** What makes the film, from the program of the opening film; null: the opening film itself. */
  program: ((opening: NetworkProgram) => Program) | null;
  /** Brings the film to where the statement begins. */
  place(session: Session): void;
  /** The one gesture that shows it. */
  gesture(session: Session): void;
  /** Its answer tells what the gesture has done; where it is not done, another answer does not. */
  after?: true;
  /** The numbers of the answer. */
  numbers(session: Session): Params;
}

// -- what the answers are made of --------------------------------------------------------------------

const phaseEnd = (film: Film, phase: string): number => film.phases.findLast((span) => span.phase === phase)?.to ?? film.length;

/** All gradients are there, and nothing has been clipped or moved. */
function endOfBackward(film: Film): number {
  return film.clip ? film.clip.event : Math.min(phaseEnd(film, "backward"), film.moving);
}

/** The film as it was before the gesture: what is said of it stays as it was. */
function unedited(session: Session): { film: Film; trace: Trace } {
  const { originalFilm, film, original, trace } = session;
  if (!film || !trace) throw new Error("A statement needs a film that is shown.");
  return originalFilm && original ? { film: originalFilm, trace: original } : { film, trace };
}

function recurrent(session: Session): { node: number; film: Film; grid: NetworkGrid; trace: Trace; row: number } {
  const { film, trace } = unedited(session);
  const grid = trace === session.trace ? session.grid : NetworkGrid.of(trace);
  if (!grid) throw new Error("A statement about a network needs a network's film.");
  return { node: grid.parameter("weight_hh")!.node, film, grid, trace, row: session.example === ALL ? 0 : session.example };
}

/** The index of the element of greatest magnitude. */
function strongest(tensor: Tensor): number[] {
  let best = 0;
  for (let i = 1; i < tensor.size; i++) if (Math.abs(tensor.flat(i)) > Math.abs(tensor.flat(best))) best = i;
  return tensor.unravel(best);
}

function strongestOf(session: Session): { node: number; index: number[]; symbol: string } {
  const { node, trace } = recurrent(session);
  const index = strongest(trace.gradient(node)!);
  return { node, index, symbol: `$${symbolsOf(trace).element(node, index)}$` };
}

function choose(session: Session, moment: number, target: Target): void {
  session.go(moment);
  session.select(target);
}

const last = (session: Session): number => session.steps;
const percent = (x: number): string => decimals(100 * x, Math.abs(x) < 0.01 ? 1 : 0, false);

/** An element of h in the middle of the sequence. */
function state(session: Session): { node: number; index: number[]; symbol: string } {
  const { grid, trace, row } = recurrent(session);
  const node = grid.column(Math.max(1, last(session) - 1))!.h;
  const gradient = trace.gradient(node)!;
  const from = slice(gradient, row);
  const unit = Array.from(from.keys()).reduce((best, i) => (Math.abs(from[i]!) > Math.abs(from[best]!) ? i : best), 0);
  const index = [row, unit];
  return { node, index, symbol: `$${symbolsOf(trace).element(node, index)}$` };
}

/** Elements of W_hh by the size of their gradients: the largest, and the smallest that is not 0. */
function extremes(session: Session): { node: number; large: number[]; small: number[] } {
  const { node, trace } = recurrent(session);
  const gradient = trace.gradient(node)!;
  let small = -1;
  for (let i = 0; i < gradient.size; i++) {
    const size = Math.abs(gradient.flat(i));
    if (size > 0 && (small < 0 || size < Math.abs(gradient.flat(small)))) small = i;
  }
  return { node, large: strongest(gradient), small: gradient.unravel(Math.max(0, small)) };
}

/** An element of W_ih whose letter does not occur, so that its gradient is exactly 0. */
function unused(session: Session): { node: number; index: number[] } {
  const { grid, trace } = recurrent(session);
  const { node } = grid.parameter("weight_ih")!;
  const gradient = trace.gradient(node)!;
  const values = trace.value(node);
  let best = -1;
  for (let i = 0; i < gradient.size; i++) if (gradient.flat(i) === 0 && (best < 0 || Math.abs(values.flat(i)) > Math.abs(values.flat(best)))) best = i;
  return { node, index: gradient.unravel(Math.max(0, best)) };
}

const firstStep = (opening: NetworkProgram): Program => ({ ...opening, step: 1 });

// -- the statements ----------------------------------------------------------------------------------

export const CLAIM: Record<ClaimId, Claim> = {
  backward_moves: {
    page: "network",
    program: null,
    place(session) {
      const { node, index } = strongestOf(session);
      choose(session, endOfBackward(session.film!), { kind: "value", node, index });
    },
    gesture: (session) => session.go(session.film!.update(recurrent(session).node)!.event + 1),
    numbers(session) {
      const { node, index, symbol } = strongestOf(session);
      const { terms } = unedited(session).film.update(node)!;
      return { symbol, old: six(terms.get("old")!.at(index)), gradient: three(unedited(session).trace.gradient(node)!.at(index)), new: six(terms.get("new")!.at(index)) };
    },
  },
  weights_differ: {
    page: "network",
    program: null,
    place(session) {
      const { node, index } = strongestOf(session);
      choose(session, phaseEnd(session.film!, "loss"), { kind: "value", node, index });
    },
    gesture(session) {
      const { node, index } = strongestOf(session);
      change(session, withNumber(editsOf(session), { path: unedited(session).trace.nodes[node]!.path, index }, 1.5, unedited(session).trace));
    },
    numbers(session) {
      const { node, index, symbol } = strongestOf(session);
      return { symbol, count: session.steps, sum: three(unedited(session).trace.gradient(node)!.at(index)) };
    },
  },
  gradient_is_error: {
    page: "network",
    program: null,
    place(session) {
      const { node, index } = state(session);
      choose(session, endOfBackward(session.film!), { kind: "value", node, index });
    },
    gesture(session) {
      const { node, index } = state(session);
      const { trace } = unedited(session);
      change(session, withNumber(editsOf(session), { path: trace.nodes[node]!.path, index }, trace.value(node).at(index) + 0.01, unedited(session).trace));
    },
    numbers(session) {
      const { node, index, symbol } = state(session);
      const { trace } = unedited(session);
      const g = trace.gradient(node)!.at(index);
      return { symbol, gradient: three(g), change: power(g * 0.01, 1), loss: three(trace.value(trace.loss).flat(0)).replace("+", "") };
    },
  },
  forks_average: {
    page: "network",
    shows: "rows",
    program: null,
    place(session) {
      const { node, index } = strongestOf(session);
      choose(session, endOfBackward(session.film!), { kind: "gradient", node, index });
    },
    gesture(session) {
      const { node, film, trace } = recurrent(session);
      const one = film.contributions(node)[0]!;
      change(session, withMuted(editsOf(session), trace.nodes[one.node]!.path, one.port, true));
    },
    numbers(session) {
      const { node, index, symbol } = strongestOf(session);
      const uses = unedited(session).film.contributions(node);
      const parts = uses.map((one) => one.tensor().at(index));
      const sum = parts.reduce((a, b) => a + b, 0);
      return { symbol, t: uses[0]!.time ?? 0, count: parts.length, sum: three(sum), mean: three(sum / parts.length), rest: three(sum - parts[0]!), one: three(parts[0]!) };
    },
  },
  vanishing_zero: {
    page: "network",
    program: null,
    place(session) {
      const { node, index } = strongestOf(session);
      session.tab = "bptt";
      choose(session, endOfBackward(session.film!), { kind: "gradient", node, index });
    },
    gesture: (session) => change(session, withMutedStep(editsOf(session), last(session), true)),
    numbers(session) {
      const { node, film, grid, trace, row } = recurrent(session);
      const m = film.length;
      const [first, final] = [gradientNorm(film, grid, 1, row, m) ?? 0, gradientNorm(film, grid, last(session), row, m) ?? 0];
      const rest = new Float64Array(trace.gradient(node)!.size);
      for (const share of shares(film, node, m)) if (share.t !== last(session)) share.tensor.data.forEach((x, i) => (rest[i]! += x));
      return { percent: percent(first / final), whole: three(norm(trace.gradient(node)!.data)).replace("+", ""), rest: three(norm(rest)).replace("+", ""), last: last(session) };
    },
  },
  only_slopes: {
    page: "network",
    shows: "levers",
    program: null,
    place(session) {
      const { node, index } = strongestOf(session);
      session.tab = "gradient";
      choose(session, endOfBackward(session.film!), { kind: "value", node, index });
    },
    gesture(session) {
      const { node, trace } = recurrent(session);
      const { path } = trace.nodes[node]!;
      const before = unedited(session).trace;
      const { data, shape } = before.value(before.node(path).id);
      change(session, withTensor(editsOf(session), path, lists(data, shape, 2)));
    },
    numbers(session) {
      const { node, film, grid, trace, row } = recurrent(session);
      const t = last(session);
      const slopes = Array.from(slice(trace.value(grid.column(t)!.h), row), (h) => 1 - h * h);
      return {
        from: t, to: t - 1, factor: decimals(hopFactor(film, grid, t, row, film.length) ?? NaN, 2, false), least: decimals(Math.min(...slopes), 2, false), most: decimals(Math.max(...slopes), 2, false),
        norm: decimals(norm(trace.value(node).data), 2, false),
      };
    },
  },
  lstm_never_forgets: {
    page: "network",
    shows: "levers",
    after: true,
    program: (opening) => ({ ...opening, cell: "lstm" }),
    place(session) {
      const { grid } = recurrent(session);
      session.tab = "gradient";
      choose(session, endOfBackward(session.film!), { kind: "value", node: grid.parameter("bias_ih")!.node, index: [grid.hidden] });
    },
    gesture(session) {
      const { grid } = recurrent(session);
      const before = unedited(session).trace;
      const { hidden } = grid;
      let edits = [...editsOf(session)];
      for (const [part, to] of [["bias_ih", -3], ["bias_hh", 0]] as const) {
        const { path } = unedited(session).trace.nodes[grid.parameter(part)!.node]!;
        edits = withTensor(edits, path, Array.from(before.value(before.node(path).id).data, (value, i) => (i >= hidden && i < 2 * hidden ? to : value)));
      }
      change(session, edits);
    },
    numbers(session) {
      const { film, grid, trace, row } = recurrent(session);
      const gates = grid.columns.filter((column) => row < column.rows).flatMap((column) => Array.from(slice(trace.value(column.gates.get("f")!), row)));
      const [first, final] = [gradientNorm(film, grid, 1, row, film.length, "c") ?? 0, gradientNorm(film, grid, last(session), row, film.length, "c") ?? 0];
      return { mean: decimals(gates.reduce((a, b) => a + b, 0) / gates.length, 2, false), percent: percent(first / final), last: last(session), before: decimals(trace.value(grid.loss).flat(0), 3, false), after: decimals(session.trace!.value(session.grid!.loss).flat(0), 3, false) };
    },
  },
  clipping_cures: {
    page: "network",
    program: null,
    place(session) {
      const { node, index } = strongestOf(session);
      session.tab = "gradient"; // has the arrow before and after, and the norms of all h
      choose(session, endOfBackward(session.film!), { kind: "gradient", node, index });
    },
    gesture(session) {
      const { node, index } = strongestOf(session);
      choose(session, session.film!.update(node)!.event + 1, { kind: "update", node, index });
    },
    numbers(session) {
      const { film, grid, row } = recurrent(session);
      const { norm, maxNorm, coefficient } = film.clip!;
      const [first, final] = [gradientNorm(film, grid, 1, row, film.length) ?? 0, gradientNorm(film, grid, last(session), row, film.length) ?? 0];
      return { factor: decimals(coefficient, 3, false), norm: decimals(norm, 3, false), most: decimals(Math.min(norm, maxNorm), 3, false), percent: percent(first / final), last: last(session) };
    },
  },
  truncation_cuts_memory: {
    page: "network",
    program: (opening) => ({ ...opening, truncation: 2 }),
    place(session) {
      const { grid, row } = recurrent(session);
      const cut = firstCut(session);
      choose(session, endOfBackward(session.film!), { kind: "value", node: grid.column(cut - 1)!.h, index: [row, 0] });
    },
    gesture: (session) => session.go(session.film!.knownSince(recurrent(session).grid.column(last(session))!.h)),
    numbers(session) {
      const { grid, trace, row } = recurrent(session);
      const cut = firstCut(session);
      return { t: cut, before: cut - 1, norm: decimals(norm(slice(trace.value(grid.column(cut - 1)!.h), row)), 2, false), last: last(session) };
    },
  },
  big_gradient_big_step: {
    page: "network",
    program: firstStep,
    place(session) {
      const { node, large } = extremes(session);
      session.tab = "parameters";
      choose(session, session.film!.update(node)!.event + 1, { kind: "update", node, index: large });
    },
    gesture(session) {
      const { node, small } = extremes(session);
      choose(session, session.film!.update(node)!.event + 1, { kind: "update", node, index: small });
    },
    numbers(session) {
      const { node, large, small } = extremes(session);
      const { terms } = unedited(session).film.update(node)!;
      const step = terms.get("adaptive_step") ?? terms.get("delta")!;
      const gradient = unedited(session).trace.gradient(node)!;
      return { lr: terms.get("lr")!.flat(0), large: power(gradient.at(large), 1), small: power(gradient.at(small), 1), by_large: six(step.at(large)), by_small: six(step.at(small)) };
    },
  },
  decay_is_gradient: {
    page: "network",
    program: firstStep,
    place(session) {
      const { node, index } = unused(session);
      choose(session, endOfBackward(session.film!), { kind: "gradient", node, index });
    },
    gesture(session) {
      const { node, index } = unused(session);
      choose(session, session.film!.update(node)!.event + 1, { kind: "update", node, index });
    },
    numbers(session) {
      const { node, index } = unused(session);
      const { terms } = unedited(session).film.update(node)!;
      return {
        symbol: `$${symbolsOf(unedited(session).trace).element(node, index)}$`, gradient: three(unedited(session).trace.gradient(node)!.at(index)), step: three(terms.get("adaptive_step")?.at(index) ?? NaN),
        old: six(terms.get("old")!.at(index)), new: six(terms.get("new")!.at(index)), decay: power(terms.get("decay")?.at(index) ?? NaN, 2),
      };
    },
  },
  backward_resets: {
    page: "network",
    program: null,
    place(session) {
      const { node, index } = strongestOf(session);
      choose(session, endOfBackward(session.film!), { kind: "gradient", node, index });
    },
    gesture: (session) => change(session, withKept(editsOf(session), true)),
    numbers(session) {
      const before = unedited(session).trace;
      const { node, index, symbol } = strongestOf(session);
      const g = before.gradient(before.node(unedited(session).trace.nodes[node]!.path).id)!.at(index);
      return { symbol, once: three(g), twice: three(2 * g) };
    },
  },
  inputs_learn: {
    page: "expression",
    program: () => ({ kind: "expression", expression: "tanh(w * x + b)", inputs: { w: 0.5, x: 2, b: -0.3 }, wrt: ["w", "x", "b"] }),
    place: (session) => choose(session, session.film!.length, { kind: "gradient", node: unedited(session).trace.node("x").id, index: [] }),
    gesture(session) {
      const value = unedited(session).trace.value(unedited(session).trace.node("x").id).flat(0);
      change(session, withNumber(editsOf(session), { path: "x", index: [] }, value + 0.01, unedited(session).trace));
    },
    numbers(session) {
      const { trace } = unedited(session);
      const x = trace.node("x").id;
      const g = trace.gradient(x)!.flat(0);
      return { gradient: three(g), value: six(trace.value(x).flat(0)), change: power(0.01 * g, 1) };
    },
  },
};

function firstCut(session: Session): number {
  return Math.max(2, Math.min(...[...cutsOf(unedited(session).trace)].filter((t) => t <= session.steps)));
}
