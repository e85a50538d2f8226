/** What can be asked of the next moment of a film: a number within a tolerance, a sign, a direction. Pure; what is given never holds the answer. */
import { toLatex } from "../math/latex";
import type { Message, Target } from "../model/explain";
import type { Film } from "../model/film";
import { decimals, three, times } from "../model/format";
import { ALL, gradientNorm, hopFactor, slice, type Column, type NetworkGrid } from "../model/network";
import { Symbols } from "../model/symbols";
import { elementNumbers } from "../model/terms";
import "./words";

export type Option = "positive" | "negative" | "zero" | "grows" | "shrinks" | "up" | "down";

export type Answer = { type: "number"; value: number; tolerance: number } | { type: "choice"; options: readonly Option[]; right: Option; /** The number whose sign or direction it is. */ of: number };

export interface Question {
  /** Where the film stands while it is asked, and where the answer is to be seen. */
  at: number;
  reveal: number;
  ask: Message;
  given: Message[];
  answer: Answer;
  /** What the reveal explains. */
  target: Target;
  /** In numbers what an option is the name of. */
  told?: Message;
}

type Draft = Omit<Question, "at" | "reveal">;

const SIGNS: readonly Option[] = ["positive", "negative", "zero"];
const signOf = (x: number): Option => (x > 0 ? "positive" : x < 0 ? "negative" : "zero");

/** The first question after moment m, at one of the film's stops; null where nothing more can be asked. `turn`: how many were asked, so that kinds take turns. */
export function nextQuestion(film: Film, grid: NetworkGrid | null, stops: readonly number[], m: number, example: number, turn: number): Question | null {
  let at = m;
  for (const reveal of stops) {
    if (reveal <= m) continue;
    const draft = grid ? ofNetwork(film, grid, at, reveal, example === ALL ? 0 : example, turn) : ofExpression(film, at, reveal);
    if (draft && isSound(draft.answer)) return { at, reveal, ...draft };
    at = reveal;
  }
  return null;
}

/** NaN has no sign and no direction, and nothing is near it. */
const isSound = (answer: Answer): boolean => (answer.type === "choice" ? !Number.isNaN(answer.of) : Number.isFinite(answer.value));

/** Whether what was answered is right: a number within the tolerance, or the option. */
export function isRight(answer: Answer, given: number | Option): boolean {
  if (answer.type === "choice") return given === answer.right;
  return typeof given === "number" && Math.abs(given - answer.value) <= answer.tolerance * (1 + 1e-9);
}

// -- a network --------------------------------------------------------------------------------------

function ofNetwork(film: Film, grid: NetworkGrid, a: number, b: number, example: number, turn: number): Draft | null {
  const comes = (node: number): boolean => !film.known(node, a) && film.known(node, b);
  const columns = grid.columns.filter((column) => example < column.rows);
  const made = columns.find((column) => comes(column.h) || (column.c !== null && comes(column.c)));
  if (made) return made.c !== null && !comes(made.c) ? readOut(film, grid, made, example, turn) : state(film, grid, made, example, turn);
  if (comes(grid.loss)) return loss(film, grid, example);
  if (film.clip && film.clip.event >= a && film.clip.event < b) return clipping(film, grid);
  const moved = grid.parameters.find(({ name, node }) => name.includes("weight_hh") && within(film.update(node)?.event, a, b)); // one of them is enough
  if (moved) return update(film, grid, moved.node);
  const hop = columns.find((column) => hopFactor(film, grid, column.t, example, a) === null && Number.isFinite(hopFactor(film, grid, column.t, example, b)));
  if (hop && turn % 2 === 0) return norm(film, grid, hop, example, b);
  const part = share(film, grid, a, b, example, turn);
  return part && isSound(part.answer) ? part : hop ? norm(film, grid, hop, example, b) : null;
}

const within = (event: number | undefined, a: number, b: number): boolean => event !== undefined && event >= a && event < b;

/** The hidden state of an LSTM whose cell state is there already. */
function readOut(film: Film, grid: NetworkGrid, column: Column, example: number, turn: number): Draft {
  const symbols = new Symbols(film.trace, grid);
  const index = [example, (column.t * 3 + turn) % grid.hidden];
  const value = (node: number): number => film.trace.value(node).at(index);
  const [o, c] = [column.gates.get("o")!, column.c!];
  return {
    ask: { key: "predict.ask.value", params: { what: `$${symbols.element(column.h, index)} = ${symbols.of(o)}\\,\\tanh ${symbols.of(c)}$` } },
    given: [o, c].map((node) => ({ key: "predict.given", params: { what: `$${symbols.element(node, index)}$ = ${three(value(node))}` } })),
    answer: { type: "number", value: value(column.h), tolerance: 0.05 },
    target: { kind: "value", node: column.h, index },
  };
}

/** The next state of a cell, from what makes it. */
function state(film: Film, grid: NetworkGrid, column: Column, example: number, turn: number): Draft | null {
  const { trace } = film;
  const symbols = new Symbols(trace, grid);
  const unit = (column.t * 3 + turn) % grid.hidden;
  const index = [example, unit];
  const of = (node: number): number => trace.value(node).at(index);
  const named = (node: number): string => symbols.element(node, index);
  const given = (node: number): Message => ({ key: "predict.given", params: { what: `$${named(node)}$ = ${three(of(node))}` } });
  const before = grid.stateBefore(column.t, example);
  if (grid.cell === "lstm" && column.c !== null && before.c !== null) {
    const [i, f, g] = ["i", "f", "g"].map((gate) => column.gates.get(gate)!) as [number, number, number];
    return {
      ask: { key: "predict.ask.value", params: { what: `$${named(column.c)} = ${symbols.of(f)}\\,${symbols.of(before.c)} + ${symbols.of(i)}\\,${symbols.of(g)}$` } },
      given: [f, before.c, i, g].map(given),
      answer: { type: "number", value: of(column.c), tolerance: 0.05 },
      target: { kind: "value", node: column.c, index },
    };
  }
  if (grid.cell === "gru") {
    const [z, n] = [column.gates.get("z")!, column.gates.get("n")!];
    const keep = trace.value(z).at(index);
    return {
      ask: { key: "predict.ask.mix", params: { what: `$${named(column.h)}$`, new: `$${named(n)}$`, old: `$${named(before.h)}$`, kept: decimals(100 * keep, 0, false) } },
      given: [n, before.h].map(given),
      answer: { type: "number", value: of(column.h), tolerance: 0.05 },
      target: { kind: "value", node: column.h, index },
    };
  }
  if (column.a === null) return null;
  const target: Target = { kind: "value", node: column.h, index };
  const parts = trace.nodes[column.a]!.inputs;
  const same = three(of(column.h)) === three(of(column.a)); // tanh of a small number is that number
  if (trace.nodes[column.a]!.op === "add" && (turn % 2 === 1 || same)) {
    return {
      ask: { key: "predict.ask.sign", params: { what: `$${named(column.h)} = \\tanh(${named(column.a)})$` } },
      given: [
        { key: "predict.given_input", params: { value: three(of(parts[0]!)) } },
        { key: "predict.given_state", params: { value: three(of(parts[1]!)) } },
      ],
      answer: { type: "choice", options: SIGNS, right: signOf(of(column.h)), of: of(column.h) },
      target,
    };
  }
  if (same) return null;
  return {
    ask: { key: "predict.ask.value", params: { what: `$${named(column.h)} = \\tanh(${named(column.a)})$` } },
    given: [given(column.a)],
    answer: { type: "number", value: of(column.h), tolerance: 0.05 },
    target,
  };
}

/** The loss of one classified example, from the probability of its class. */
function loss(film: Film, grid: NetworkGrid, example: number): Draft | null {
  const { trace } = film;
  const p = grid.column(grid.examples[example]!.length)?.probe?.p ?? null;
  if (grid.kind !== "classification" || grid.readout === "every" || grid.examples.length !== 1 || p === null) return null;
  const chance = slice(trace.value(p), example)[grid.examples[example]!.target as number]!;
  return {
    ask: { key: "predict.ask.loss" },
    given: [{ key: "predict.given", params: { what: `$p[y]$ = ${decimals(chance, 3, false)}` } }],
    answer: { type: "number", value: trace.value(grid.loss).flat(0), tolerance: 0.1 },
    target: { kind: "value", node: grid.loss, index: [] },
  };
}

/** Whether a hop makes the gradient longer. */
function norm(film: Film, grid: NetworkGrid, column: Column, example: number, b: number): Draft {
  const earlier = grid.column(grid.previous(column.t))!;
  const factor = hopFactor(film, grid, column.t, example, b)!;
  const gradient = film.trace.gradient(earlier.h)!;
  const width = grid.hidden;
  let strongest = 0;
  for (let i = 0; i < width; i++) if (Math.abs(gradient.at([example, i])) > Math.abs(gradient.at([example, strongest]))) strongest = i;
  const slopes = Array.from(slice(film.trace.value(column.h), example), (h) => 1 - h * h);
  const size = (t: number): string => decimals(gradientNorm(film, grid, t, example, b)!, 3, false);
  const given: Message[] = [{ key: "predict.given_norm", params: { t: column.t, value: size(column.t) } }];
  if (grid.cell === "rnn") given.push({ key: "predict.given_slopes", params: { value: slopes.map((slope) => decimals(slope, 2, false)).slice(0, 6).join(", ") } });
  return {
    ask: { key: "predict.ask.norm", params: { from: column.t, to: earlier.t } },
    given,
    answer: { type: "choice", options: ["grows", "shrinks"], right: factor > 1 ? "grows" : "shrinks", of: factor },
    target: { kind: "gradient", node: earlier.h, index: [example, strongest] },
    told: { key: "predict.told_norm", params: { before: size(column.t), after: size(earlier.t), factor: times(factor) } },
  };
}

/** The sign of what one step adds to an element of the recurrent weight. */
function share(film: Film, grid: NetworkGrid, a: number, b: number, example: number, turn: number): Draft | null {
  const weight = grid.parameter("weight_hh");
  if (!weight || grid.examples.length !== 1) return null;
  const { trace } = film;
  const part = film.contributions(weight.node).find((one) => one.arrived >= a && one.arrived < b && one.kind === "vjp" && one.time !== null && trace.nodes[one.node]!.op === "linear");
  if (!part) return null;
  const [rows, columns] = trace.nodes[weight.node]!.shape as [number, number];
  const index = [(turn * 5) % rows, (turn * 3 + 1) % columns];
  const [delta, h] = [[example, index[0]!], [example, index[1]!]];
  const input = trace.through(trace.nodes[part.node]!.inputs[0]!);
  const symbols = new Symbols(trace, grid);
  return {
    ask: { key: "predict.ask.share", params: { what: `$${symbols.element(weight.node, index)}$`, t: part.time! } },
    given: [
      { key: "predict.given", params: { what: `$${symbols.gradient(part.node, delta)}$ = ${three(trace.gradient(part.node)!.at(delta))}` } },
      { key: "predict.given", params: { what: `$${symbols.element(input, h)}$ = ${three(trace.value(input).at(h))}` } },
    ],
    answer: { type: "choice", options: SIGNS, right: signOf(part.tensor().at(index)), of: part.tensor().at(index) },
    target: { kind: "gradient", node: weight.node, index },
  };
}

/** The factor by which all gradients are scaled. */
function clipping(film: Film, grid: NetworkGrid): Draft {
  const { norm, maxNorm, coefficient } = film.clip!;
  const weight = grid.parameter("weight_hh") ?? grid.parameters[0]!;
  return {
    ask: { key: "predict.ask.clip" },
    given: [{ key: "predict.given_clip", params: { norm: decimals(norm, 3, false), most: decimals(maxNorm, 3, false) } }],
    answer: { type: "number", value: coefficient, tolerance: 0.03 },
    target: { kind: "gradient", node: weight.node, index: trace0(film, weight.node) },
  };
}

const trace0 = (film: Film, node: number): number[] => film.trace.nodes[node]!.shape.map(() => 0);

/** Which way an element of a parameter moves. */
function update(film: Film, grid: NetworkGrid, node: number): Draft | null {
  const { terms } = film.update(node)!;
  const gradient = film.trace.gradient(node);
  const [old, fresh] = [terms.get("old"), terms.get("new")];
  if (!gradient || !old || !fresh) return null;
  let strongest = 0;
  for (let i = 0; i < gradient.size; i++) if (Math.abs(gradient.flat(i)) > Math.abs(gradient.flat(strongest))) strongest = i;
  const index = gradient.unravel(strongest);
  const symbols = new Symbols(film.trace, grid);
  const given: Message[] = [{ key: "predict.given", params: { what: `$${symbols.inlineGradient(node, index)}$ = ${three(gradient.flat(strongest))}` } }];
  const memory = terms.get("exp_avg_prev") ?? terms.get("momentum_buffer_prev");
  if (memory) given.push({ key: "predict.given_memory", params: { value: three(memory.flat(strongest)) } });
  const moved = fresh.flat(strongest) - old.flat(strongest);
  if (moved === 0) return null;
  return {
    ask: { key: "predict.ask.update", params: { what: `$${symbols.element(node, index)}$` } },
    given,
    answer: { type: "choice", options: ["up", "down"], right: moved > 0 ? "up" : "down", of: moved },
    target: { kind: "update", node, index },
  };
}

// -- an expression ------------------------------------------------------------------------------------

function ofExpression(film: Film, a: number, b: number): Draft | null {
  const { trace } = film;
  const symbols = new Symbols(trace, null);
  const made = trace.nodes.findLast((node) => node.op !== null && node.role !== "probe" && !film.known(node.id, a) && film.known(node.id, b));
  if (made) {
    const formula = trace.ops[made.op!]?.formula;
    if (!formula || trace.value(made.id).size === 0 || trace.typedOver(made.id) !== null) return null;
    const index = made.shape.map(() => 0);
    const value = trace.value(made.id).at(index);
    const { y: _, ...numbers } = elementNumbers(trace, made.id, index);
    return {
      ask: { key: "predict.ask.value", params: { what: `$${symbols.element(made.id, index)}$` } },
      given: [{ key: "predict.given", params: { what: `$${toLatex(formula, {}, numbers)}$` } }],
      answer: { type: "number", value, tolerance: Math.max(0.05, Math.abs(value) * 0.05) },
      target: { kind: "value", node: made.id, index },
    };
  }
  const reached = trace.nodes.find((node) => node.gradient !== null && node.id !== trace.loss && !film.complete(node.id, a) && film.complete(node.id, b));
  if (!reached) return null;
  const index = reached.shape.map(() => 0);
  const gradient = trace.gradient(reached.id)!.at(index);
  const [only, ...rest] = film.contributions(reached.id);
  const given: Message[] = [];
  if (only && rest.length === 0 && only.node >= 0 && trace.gradient(only.node)?.size === 1) given.push({ key: "predict.given", params: { what: `$${symbols.inlineGradient(only.node, trace.nodes[only.node]!.shape.map(() => 0))}$ = ${three(trace.gradient(only.node)!.flat(0))}` } });
  return {
    ask: { key: "predict.ask.gradient", params: { what: `$${symbols.inlineGradient(reached.id, index)}$` } },
    given,
    answer: { type: "choice", options: SIGNS, right: signOf(gradient), of: gradient },
    target: { kind: "gradient", node: reached.id, index },
  };
}
