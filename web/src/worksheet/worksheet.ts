/**
 * A worksheet of one training step: tables of its numbers with blanks, a question for each, and the answers. Pure, and the same for the same
 * film and settings, so that an answer key fits its sheet.
 */
import type { Message } from "../model/explanation";
import { explain, type Explanation, type Target } from "../model/explain";
import type { Film } from "../model/film";
import { decimals } from "../model/format";
import { tokenText, type NetworkGrid } from "../model/network";
import { Symbols } from "../model/symbols";
import { product, type Notation } from "../math/notation";
import { columnsShown } from "../lecture/columns";
import type { Kind, Settings } from "./address";

export const MOST_HIDDEN = 4;
export const DIGITS = 4;
const MOST_STEPS = 7;
const MOST_CLASSES = 20;

export interface Cell {
  value: number;
  /** What it is called among the blanks. */
  id: string;
}

export interface Table {
  title: Message | string;
  /** Heads of columns; TeX between dollar signs. */
  heads: string[];
  rows: { head: string; cells: (Cell | null)[] }[];
}

export interface Blank {
  letter: string;
  kind: Kind;
  id: string;
  /** TeX of what is asked, and the formula it follows from. */
  name: string;
  formula: string;
  /** Message key of the step of an update that is asked; null for all that is no update. */
  step: string | null;
}

export interface Answer {
  value: number;
  why: Explanation;
}

export interface Worksheet {
  tables: Table[];
  blanks: Blank[];
  /** One a blank, in the same order. */
  answers: Answer[];
  /** How many blanks there could be. */
  possible: number;
}

interface Candidate extends Answer {
  kind: Kind;
  id: string;
  name: string;
  formula: string;
  step: string | null;
}

/** Numbers in [0, 1), always the same ones for a seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const written = (value: number): string => decimals(value, DIGITS);

/** Whether a sheet can be made of a film. */
export const suits = (grid: NetworkGrid | null): grid is NetworkGrid => grid !== null && grid.hidden <= MOST_HIDDEN && grid.chains.length === 1;

export function worksheet(film: Film, grid: NetworkGrid, example: number, settings: Settings, notation: Notation, className?: (index: number) => string): Worksheet {
  const maker = new Maker(film, grid, example, notation, className ?? ((k) => grid.batch.classes?.[k] ?? String(k)));
  const tables = maker.tables();
  const candidates = maker.candidates.filter(({ kind }) => settings.kinds.includes(kind));
  const chosen = choose(candidates, settings, occurrences(tables));
  const blanks = chosen.map(({ kind, id, name, formula, step }, i): Blank => ({ letter: String.fromCharCode(65 + i), kind, id, name, formula, step }));
  const answers = chosen.map(({ value, why }): Answer => ({ value, why }));
  return { tables, blanks, answers, possible: candidates.length };
}

/** How often each number stands in the tables, as it is written. */
function occurrences(tables: readonly Table[]): Map<string, number> {
  const count = new Map<string, number>();
  for (const table of tables) for (const row of table.rows) for (const cell of row.cells) if (cell) count.set(written(cell.value), (count.get(written(cell.value)) ?? 0) + 1);
  return count;
}

/** Kinds take turns; what stands on the sheet a second time is not asked, it could be read off. In the order of the computation. */
function choose(candidates: readonly Candidate[], { kinds, count, seed }: Settings, often: Map<string, number>): Candidate[] {
  const next = random(seed);
  const shuffled = candidates.map((candidate, order) => ({ candidate, order, key: next() })).sort((one, other) => one.key - other.key);
  const piles = kinds.map((kind) => shuffled.filter(({ candidate }) => candidate.kind === kind && often.get(written(candidate.value)) === 1 && candidate.value !== 0));
  const taken: typeof shuffled = [];
  while (taken.length < count && piles.some((pile) => pile.length > 0)) {
    for (const pile of piles) {
      const one = taken.length < count ? pile.shift() : undefined;
      if (one) taken.push(one);
    }
  }
  return taken.sort((one, other) => one.order - other.order).map(({ candidate }) => candidate);
}

const idOf = ({ kind, node, index }: Target, rung = ""): string => `${kind}:${node}:${index.join(",")}${rung && `:${rung}`}`;

class Maker {
  readonly candidates: Candidate[] = [];
  private readonly symbols: Symbols;
  private readonly steps: number[];
  private readonly elements: number[];

  constructor(
    private readonly film: Film,
    private readonly grid: NetworkGrid,
    private readonly example: number,
    private readonly notation: Notation,
    private readonly className: (index: number) => string,
  ) {
    this.symbols = new Symbols(film.trace, grid, notation);
    const length = grid.examples[example]?.length ?? grid.columns.length;
    this.steps = columnsShown(length, MOST_STEPS, [length], null);
    this.elements = Array.from({ length: grid.hidden }, (_, i) => i);
  }

  tables(): Table[] {
    const parts = [...(this.grid.cell === "rnn" ? [this.weights()] : []), this.forward(), ...this.prediction(), this.backward(), ...this.update()];
    return parts.filter((table) => table.rows.length > 0);
  }

  private why(target: Target): Explanation {
    return explain(this.film, target, this.film.length, this.example, this.notation);
  }

  private cell(target: Target): Cell | null {
    // a parameter's value is the one that made this step, not the one after its update
    if (target.kind === "value" && this.film.update(target.node)) return { value: this.film.trace.value(target.node).at(target.index), id: idOf(target) };
    const { value } = this.why(target);
    return value === null ? null : { value, id: idOf(target) };
  }

  private ask(kind: Kind, target: Target, formula: string | null = null): void {
    const why = this.why(target);
    if (why.value === null) return;
    this.candidates.push({ kind, id: idOf(target), name: why.title, formula: formula ?? why.symbols, value: why.value, why, step: null });
  }

  private weights(): Table {
    const weight = this.grid.parameter("weight_hh");
    const rows = weight ? this.elements.map((i) => ({ head: `$i = ${i}$`, cells: this.elements.map((j) => this.cell({ kind: "value", node: weight.node, index: [i, j] })) })) : [];
    return { title: `$${weight?.tex ?? "W"}[i, j]$`, heads: this.elements.map((j) => `$j = ${j}$`), rows };
  }

  /** A line of a table: one cell a step. */
  private line(head: string, node: (t: number) => number | null, i: number, kind: Target["kind"]): Table["rows"][number] {
    const cells = this.steps.map((t) => {
      const found = node(t);
      return found === null || found < 0 ? null : this.cell({ kind, node: found, index: [this.example, i] });
    });
    return { head: `$${head}[${i}]$`, cells };
  }

  private heads(): string[] {
    const { trace } = this.film;
    return this.steps.map((t) => {
      const token = tokenText(trace, this.example, t);
      return `$t = ${t}$${token === "" ? "" : ` · ${token}`}`;
    });
  }

  private forward(): Table {
    const { grid, film, example, notation } = this;
    const first = this.steps[0]!;
    const rows: Table["rows"] = [];
    const all = (head: string, node: (t: number) => number | null): void => {
      rows.push(...this.elements.map((i) => this.line(head, node, i, "value")));
    };
    const weight = grid.parameter("weight_hh");
    if (grid.cell === "rnn" && weight) {
      const W = film.trace.value(weight.node);
      for (const i of this.elements) {
        const cells = this.steps.map((t): Cell => {
          const before = film.trace.value(grid.stateBefore(t).h);
          const a = film.trace.value(grid.column(t)!.a!).at([example, i]);
          return { value: a - this.elements.reduce((sum, j) => sum + W.at([i, j]) * before.at([example, j]), 0), id: `input:${t}:${i}` };
        });
        rows.push({ head: `$u_{t}[${i}]$`, cells });
      }
    }
    for (const gate of { rnn: "", lstm: "ifgo", gru: "zn" }[grid.cell]) all(`${gate}_{t}`, (t) => grid.column(t)?.gates.get(gate) ?? null);
    if (grid.cell === "lstm") {
      if (first > 1) all("c_{t-1}", (t) => (t === first ? grid.stateBefore(t).c : null));
      all("c_{t}", (t) => grid.column(t)?.c ?? null);
    } else {
      if (first > 1) all("h_{t-1}", (t) => (t === first ? grid.stateBefore(t).h : null));
    }
    all("h_{t}", (t) => grid.column(t)?.h ?? null);
    for (const t of this.steps) {
      const column = grid.column(t)!;
      for (const i of this.elements) {
        const formula = grid.cell === "rnn" ? `h_{t} = \\tanh(u_{t} + ${product(notation, weight!.tex, "h_{t-1}")})` : null;
        if (column.c !== null) this.ask("forward", { kind: "value", node: column.c, index: [example, i] });
        this.ask("forward", { kind: "value", node: column.h, index: [example, i] }, formula);
      }
    }
    return { title: { key: "teach.sheet.kind.forward" }, heads: this.heads(), rows };
  }

  private prediction(): Table[] {
    const { grid, film, example } = this;
    const { loss } = grid;
    const lossCell = this.cell({ kind: "value", node: loss, index: [] });
    const whole: Table["rows"][number] = { head: "$L$", cells: [lossCell] };
    const single = grid.examples.length === 1 && grid.readout === "last";
    const { logits, yHat } = grid.head;
    const last = grid.column(this.steps.at(-1)!)?.probe;
    if (grid.kind === "classification" && logits !== null && last?.p !== null && last?.p !== undefined) {
      const classes = film.trace.value(logits).shape[1]!;
      if (classes > MOST_CLASSES) return [];
      const target = grid.examples[example]?.target;
      const rows = Array.from({ length: classes }, (_, k) => ({
        head: `${this.className(k)}${k === target ? " ◂" : ""}`,
        cells: [
          this.cell({ kind: "value", node: logits, index: [example, k] }),
          this.cell({ kind: "value", node: last.p!, index: [example, k] }),
          this.cell({ kind: "gradient", node: logits, index: [example, k] }),
        ],
      }));
      if (single) {
        for (let k = 0; k < classes; k++) this.ask("loss", { kind: "value", node: last.p, index: [example, k] });
        this.ask("loss", { kind: "value", node: loss, index: [] });
        for (let k = 0; k < classes; k++) this.ask("gradient", { kind: "gradient", node: logits, index: [example, k] });
      }
      rows.push({ head: "$L$", cells: [lossCell, null, null] });
      return [{ title: { key: "teach.sheet.prediction" }, heads: ["$z$", "$p$", "$\\partial L/\\partial z$"], rows }];
    }
    if (grid.kind === "regression" && yHat !== null && single) {
      const outputs = film.trace.value(yHat).shape[1] ?? 1;
      const goals = [grid.examples[example]!.target].flat(2);
      const rows = Array.from({ length: outputs }, (_, k) => ({
        head: `$\\hat{y}[${k}]$, $y[${k}]$, $\\partial L/\\partial \\hat{y}[${k}]$`,
        cells: [this.cell({ kind: "value", node: yHat, index: [example, k] }), { value: goals[k]!, id: `target:${k}` }, this.cell({ kind: "gradient", node: yHat, index: [example, k] })],
      }));
      this.ask("loss", { kind: "value", node: loss, index: [] });
      for (let k = 0; k < outputs; k++) this.ask("gradient", { kind: "gradient", node: yHat, index: [example, k] });
      return [{ title: { key: "teach.sheet.prediction" }, heads: ["", "", ""], rows: [...rows, { ...whole, cells: [lossCell, null, null] }] }];
    }
    return [{ title: { key: "teach.sheet.prediction" }, heads: [""], rows: [whole] }];
  }

  private backward(): Table {
    const { grid, example, film } = this;
    const rows: Table["rows"] = [];
    const all = (head: string, node: (t: number) => number | null): void => {
      rows.push(...this.elements.map((i) => this.line(head, node, i, "gradient")));
    };
    all("\\partial L/\\partial h_{t}", (t) => grid.column(t)?.h ?? null);
    if (grid.cell === "lstm") all("\\partial L/\\partial c_{t}", (t) => grid.column(t)?.c ?? null);
    if (grid.cell === "rnn") all("\\delta_{t}", (t) => grid.column(t)?.a ?? null);
    if (grid.cell === "gru") for (const gate of "zn") all(`\\partial L/\\partial ${gate}_{t}`, (t) => grid.column(t)?.gates.get(gate) ?? null);
    const weight = grid.parameter("weight_hh");
    const last = this.steps.at(-1)!;
    for (const t of [...this.steps].reverse()) {
      const column = grid.column(t)!;
      for (const i of this.elements) {
        const index = [example, i];
        if (grid.cell === "rnn") {
          if (t < last && grid.readout === "last") this.ask("gradient", { kind: "gradient", node: column.h, index });
          this.ask("gradient", { kind: "gradient", node: column.a!, index });
        }
        if (grid.cell === "lstm") this.ask("gradient", { kind: "gradient", node: column.c!, index });
        if (grid.cell === "gru") for (const gate of "zn") this.ask("gradient", { kind: "gradient", node: column.gates.get(gate)!, index });
      }
    }
    if (grid.cell === "rnn" && weight && grid.examples.length === 1 && this.steps[0] === 1) {
      const gradient = film.trace.gradient(weight.node);
      if (gradient) {
        for (const i of this.elements) for (const j of this.elements) this.ask("gradient", { kind: "gradient", node: weight.node, index: [i, j] });
        const blanks = this.elements.map((i) => ({
          head: `$\\partial L/\\partial ${weight.tex}[${i}, j]$`,
          cells: this.steps.map((_, k) => (k < grid.hidden ? this.cell({ kind: "gradient", node: weight.node, index: [i, k] }) : null)),
        }));
        rows.push(...(this.steps.length >= grid.hidden ? blanks : []));
      }
    }
    return { title: { key: "teach.sheet.kind.gradient" }, heads: this.heads(), rows };
  }

  /** Two numbers of the recurrent weight on their way from the gradient to their new value. */
  private update(): Table[] {
    const { film, grid } = this;
    const weight = grid.parameter("weight_hh");
    const made = weight && film.update(weight.node);
    const gradient = weight && film.trace.gradient(weight.node);
    if (!weight || !made || !gradient) return [];
    const ranked = Array.from({ length: gradient.size }, (_, k) => k).sort((one, other) => Math.abs(gradient.flat(other)) - Math.abs(gradient.flat(one)));
    const targets = ranked.slice(0, 2).map((k): Target => ({ kind: "update", node: weight.node, index: gradient.unravel(k) }));
    const whys = targets.map((target) => this.why(target));
    const rows: Table["rows"] = [];
    const rules = Object.values(film.trace.rules)[0];
    const setting = (name: string): Cell | null => {
      const tensor = made.terms.get(name);
      return tensor && tensor.shape.length === 0 ? { value: tensor.flat(0), id: `setting:${name}` } : null;
    };
    for (const name of ["lr", "eps", "weight_decay", "momentum", "coefficient"]) {
      const cell = setting(name);
      if (cell && cell.value !== 0) rows.push({ head: `$${rules?.symbols[name] ?? name}$`, cells: targets.map(() => cell) });
    }
    rows.push({ head: `$${rules?.symbols.old ?? "\\theta"}$`, cells: whys.map((why, k) => (why.before === undefined ? null : { value: why.before, id: idOf(targets[k]!, "old") })) });
    (whys[0]?.ladder ?? []).forEach((step, r) => {
      const rung = step.name.key.replace("why.rung.", "");
      const asked = ["clipped", "adaptive_step", "delta", "decay", "new"].includes(rung);
      const symbol = rung === "new" ? (rules?.symbols.new ?? "\\theta'") : step.symbol;
      rows.push({ head: `$${symbol.split(" = ")[0]!}$`, cells: whys.map((why, k) => ({ value: why.ladder![r]!.value, id: idOf(targets[k]!, rung) })) });
      if (!asked) return;
      whys.forEach((why, k) => {
        const formula = rung === "new" ? why.symbols : step.symbol;
        const name = this.symbols.element(weight.node, targets[k]!.index);
        this.candidates.push({ kind: "update", id: idOf(targets[k]!, rung), name, formula, value: why.ladder![r]!.value, why, step: step.name.key });
      });
    });
    return [{ title: { key: "teach.sheet.update" }, heads: targets.map((target) => `$${this.symbols.element(weight.node, target.index)}$`), rows }];
  }
}
