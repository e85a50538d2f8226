/** The parts of a network's worksheet: tables of one layer and direction, a few of its units and time steps, and all that could be asked of them. */
import { columnsShown } from "../lecture/columns";
import { product, type Notation } from "../math/notation";
import { explain, type Explanation, type Row, type Target } from "../model/explain";
import type { Film } from "../model/film";
import { three } from "../model/format";
import { classTarget, tokenText, type NetworkGrid } from "../model/network";
import { marked } from "../model/stack";
import { Symbols } from "../model/symbols";
import { MOST_UNITS, type Kind, type Settings } from "./address";
import { idOf, restOf, type Candidate, type Cell, type Draft, type Table } from "./sheet";

const MOST_STEPS = 7;
const MOST_CLASSES = 20;
/** Classes that are shown of more: the right one and the most probable ones. */
const FEW_CLASSES = 10;

export function networkDraft(film: Film, whole: NetworkGrid, example: number, settings: Settings, notation: Notation, className: (index: number) => string): Draft {
  const grid = whole.showing(whole.chains.find(({ suffix }) => suffix === settings.chain) ?? null);
  const maker = new Maker(film, grid, example, settings, notation, className);
  const tables = maker.tables();
  const { steps, units } = maker;
  const extent = { from: steps[0]!, to: steps.at(-1)!, length: maker.length, most: MOST_STEPS, units, unitCount: grid.hidden > MOST_UNITS ? grid.hidden : 0 };
  return { tables, definitions: [], candidates: maker.candidates, extent };
}

/** The time steps of a sheet, ascending: those chosen as far as there is room for them, else the last ones that were computed. */
function stepsShown(chosen: [number, number] | null, length: number, reverse: boolean): number[] {
  if (!chosen || chosen[0] > length) return columnsShown(length, MOST_STEPS, [reverse ? 1 : length], null);
  const to = Math.min(chosen[1], length, chosen[0] + MOST_STEPS - 1);
  return Array.from({ length: to - chosen[0] + 1 }, (_, k) => chosen[0] + k);
}

/** The terms of a sum that stand on the sheet, as rows, and the others: how many units they are of, and their sum (null: none). */
interface Sum {
  rows: Row[];
  rest: number | null;
  count: number;
}

class Maker {
  readonly candidates: Candidate[] = [];
  private readonly symbols: Symbols;
  readonly length: number;
  readonly steps: number[];
  readonly units: number[];

  constructor(
    private readonly film: Film,
    private readonly grid: NetworkGrid,
    private readonly example: number,
    settings: Settings,
    private readonly notation: Notation,
    private readonly className: (index: number) => string,
  ) {
    this.symbols = new Symbols(film.trace, grid, notation);
    this.length = grid.examples[example]?.length ?? grid.columns.length;
    this.steps = stepsShown(settings.steps, this.length, grid.shown.reverse);
    const all = Array.from({ length: grid.hidden }, (_, i) => i);
    const chosen = settings.units?.filter((i) => i < grid.hidden) ?? [];
    this.units = grid.hidden <= MOST_UNITS ? all : chosen.length > 0 ? chosen : all.slice(0, MOST_UNITS);
  }

  tables(): Table[] {
    const parts = [...(this.grid.cell === "rnn" ? [this.weights()] : []), this.forward(), ...this.prediction(), ...this.backward(), ...this.update()];
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

  /** `sum`: the terms that stand on the sheet, and what the others are together. What was typed over follows from nothing. */
  private ask(kind: Kind, target: Target, formula: string | null = null, sum: Sum | null = null): void {
    const why = this.why(target);
    if (why.value === null || why.kind.key === "why.kind.typed") return;
    const told = sum && { rows: sum.rows, others: sum.rest === null ? null : { count: sum.count, value: sum.rest } };
    this.candidates.push({ kind, id: idOf(target), name: why.title, formula: formula ?? why.symbols, value: why.value, why: { ...why, ...told }, step: null, rest: sum?.rest ?? null });
  }

  /** A symbol with the marks of the layer and direction that the sheet is of. */
  private mark(tex: string): string {
    return marked(tex, this.grid.shown, this.grid.stack);
  }

  /** The step that comes after t in the order of the computation; null for the last of all. */
  private next(t: number): number | null {
    const next = this.grid.shown.reverse ? t - 1 : t + 1;
    return next >= 1 && next <= this.length ? next : null;
  }

  /** What the sum under an RNN's tanh has beside the units that are shown: input and biases, which the sheet gives as u, and the other units. */
  private recurrent(t: number, i: number): { u: number; sum: Sum } {
    const { grid, film, example, units } = this;
    const weight = grid.parameter("weight_hh")!;
    const W = film.trace.value(weight.node);
    const before = film.trace.value(grid.stateBefore(t, example).h);
    const term = (j: number): number => W.at([i, j]) * before.at([example, j]);
    const a = film.trace.value(grid.column(t)!.a!).at([example, i]);
    const all = Array.from({ length: grid.hidden }, (_, j) => j);
    const u = a - all.reduce((sum, j) => sum + term(j), 0);
    const others = all.filter((j) => !units.includes(j));
    const plain = { arrived: true, t };
    const rows: Row[] = [
      { label: `$${this.mark("u")}_{${t}}[${i}]$`, detail: "", value: u, ...plain },
      ...units.map((j): Row => ({ label: `$${weight.tex}[${i}, ${j}]$`, detail: `${three(W.at([i, j]))} \u00d7 ${three(before.at([example, j]))}`, value: term(j), ...plain })),
    ];
    return { u, sum: { rows, rest: others.length > 0 ? others.reduce((sum, j) => sum + term(j), 0) : null, count: others.length } };
  }

  /** What comes back to h_t[j] of an RNN: through the units of the next step that are shown, and the rest of it. Null where nothing comes back from there. */
  private returned(t: number, j: number): Sum | null {
    const { grid, film, example, units } = this;
    const { trace } = film;
    const next = this.next(t);
    const [column, later] = [grid.column(t)!, next === null || !this.steps.includes(next) ? null : grid.column(next)];
    const comes = later && film.contributions(column.h).some((one) => one.kind === "vjp" && trace.nodes[one.node]!.op !== "truncate" && trace.nodes[one.node]!.time === next && later.nodes.includes(one.node));
    const delta = later && trace.gradient(later.a!);
    const whole = trace.gradient(column.h);
    if (!comes || !delta || !whole) return null;
    const W = trace.value(grid.parameter("weight_hh")!.node);
    const rows = units.map((i): Row => {
      const [w, d] = [W.at([i, j]), delta.at([example, i])];
      return { label: `$${this.symbols.inlineGradient(later.a!, [example, i])}$`, detail: `${three(w)} \u00d7 ${three(d)}`, value: w * d, arrived: true, t: next };
    });
    return { rows, rest: restOf(whole.at([example, j]), rows.map(({ value }) => value)), count: grid.hidden - units.length };
  }

  private weights(): Table {
    const weight = this.grid.parameter("weight_hh");
    const rows = weight ? this.units.map((i) => ({ head: `$i = ${i}$`, cells: this.units.map((j) => this.cell({ kind: "value", node: weight.node, index: [i, j] })) })) : [];
    return { title: `$${weight?.tex ?? "W"}[i, j]$`, heads: this.units.map((j) => `$j = ${j}$`), rows };
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
    const { grid, film, example, notation, units } = this;
    const rows: Table["rows"] = [];
    const all = (head: string, node: (t: number) => number | null): void => {
      rows.push(...units.map((i) => this.line(head, node, i, "value")));
    };
    const weight = grid.parameter("weight_hh");
    const rnn = grid.cell === "rnn" && weight !== null;
    if (rnn) for (const i of units) rows.push({ head: `$${this.mark("u")}_{t}[${i}]$`, cells: this.steps.map((t): Cell => ({ value: this.recurrent(t, i).u, id: `input:${t}:${i}` })) });
    for (const gate of { rnn: "", lstm: "ifgo", gru: "zn" }[grid.cell]) all(`${this.mark(gate)}_{t}`, (t) => grid.column(t)?.gates.get(gate) ?? null);
    const state = grid.cell === "lstm" ? "c" : "h";
    const start = grid.shown.reverse ? this.steps.at(-1)! : this.steps[0]!;
    const before = grid.stateBefore(start, example)[state]!;
    const stated = !grid.begins(start, this.length) || film.trace.value(before).data.some((value) => value !== 0);
    if (stated) all(`${this.mark(state)}_{t${grid.shown.reverse ? "+" : "-"}1}`, (t) => (t === start ? before : null));
    if (state === "c") all(`${this.mark("c")}_{t}`, (t) => grid.column(t)?.c ?? null);
    all(`${this.mark("h")}_{t}`, (t) => grid.column(t)?.h ?? null);
    for (const t of this.steps) {
      const column = grid.column(t)!;
      for (const i of units) {
        const index = [example, i];
        if (column.c !== null) this.ask("forward", { kind: "value", node: column.c, index });
        if (!rnn) this.ask("forward", { kind: "value", node: column.h, index });
        else this.ask("forward", { kind: "value", node: column.h, index }, grid.equation(`h_{t} = \\${film.trace.nodes[column.h]!.op === "tanh" ? "tanh" : "operatorname{relu}"}(u_{t} + ${product(notation, weight.tex, "h_{t-1}")})`), this.recurrent(t, i).sum);
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
    const last = grid.column(this.length)?.probe;
    if (grid.kind === "classification" && logits !== null && last?.p !== null && last?.p !== undefined) {
      const classes = film.trace.value(logits).shape[1]!;
      const target = classTarget(grid, example, this.length)!;
      const shown = this.classes(classes, target, last.p);
      const rows: Table["rows"] = shown.map((k) => ({
        head: `${this.className(k)}${k === target ? " ◂" : ""}`,
        cells: [
          this.cell({ kind: "value", node: logits, index: [example, k] }),
          this.cell({ kind: "value", node: last.p!, index: [example, k] }),
          this.cell({ kind: "gradient", node: logits, index: [example, k] }),
        ],
      }));
      if (single) {
        for (const k of shown) this.ask("loss", { kind: "value", node: last.p, index: [example, k] });
        this.ask("loss", { kind: "value", node: loss, index: [] });
        for (const k of shown) this.ask("gradient", { kind: "gradient", node: logits, index: [example, k] });
      }
      if (shown.length < classes) {
        const z = film.trace.value(logits);
        const others = Array.from({ length: classes }, (_, k) => k).filter((k) => !shown.includes(k));
        const sum = others.reduce((all, k) => all + Math.exp(z.at([example, k])), 0);
        rows.push({ head: `$\\textstyle\\sum e^{z}$, $k \\notin \\{${shown.join(", ")}\\}$`, cells: [{ value: sum, id: "others:z" }, null, null] });
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

  /** The classes of a sheet, ascending. */
  private classes(count: number, target: number, p: number): number[] {
    const all = Array.from({ length: count }, (_, k) => k);
    if (count <= MOST_CLASSES) return all;
    const chance = this.film.trace.value(p);
    const ranked = all.filter((k) => k !== target).sort((one, other) => chance.at([this.example, other]) - chance.at([this.example, one]));
    return [target, ...ranked].slice(0, FEW_CLASSES).sort((one, other) => one - other);
  }

  private backward(): Table[] {
    const { grid, example, units } = this;
    const rows: Table["rows"] = [];
    const all = (head: string, node: (t: number) => number | null): void => {
      rows.push(...units.map((i) => this.line(head, node, i, "gradient")));
    };
    const part = (name: string): string => `\\partial L/\\partial ${this.mark(name)}_{t}`;
    all(part("h"), (t) => grid.column(t)?.h ?? null);
    if (grid.cell === "lstm") all(part("c"), (t) => grid.column(t)?.c ?? null);
    if (grid.cell === "rnn") all(`${this.mark("\\delta")}_{t}`, (t) => grid.column(t)?.a ?? null);
    if (grid.cell === "gru") for (const gate of "zn") all(part(gate), (t) => grid.column(t)?.gates.get(gate) ?? null);
    for (const t of grid.shown.reverse ? this.steps : [...this.steps].reverse()) {
      const column = grid.column(t)!;
      const next = this.next(t);
      for (const i of units) {
        const index = [example, i];
        if (grid.cell === "rnn") {
          const sum = this.returned(t, i);
          if (sum) this.ask("gradient", { kind: "gradient", node: column.h, index }, null, sum);
          this.ask("gradient", { kind: "gradient", node: column.a!, index });
        }
        if (grid.cell === "lstm" && (next === null || this.steps.includes(next))) this.ask("gradient", { kind: "gradient", node: column.c!, index });
        if (grid.cell === "gru") for (const gate of "zn") this.ask("gradient", { kind: "gradient", node: column.gates.get(gate)!, index });
      }
    }
    return [{ title: { key: "teach.sheet.kind.gradient" }, heads: this.heads(), rows }, ...this.weightGradient()];
  }

  /** The gradient of an RNN's recurrent weight, a sum over steps that can be worked out where all of them are shown. */
  private weightGradient(): Table[] {
    const { grid, film, units } = this;
    const weight = grid.parameter("weight_hh");
    const gradient = weight && film.trace.gradient(weight.node);
    if (grid.cell !== "rnn" || !weight || !gradient || grid.examples.length > 1 || this.steps.length < this.length) return [];
    const rows = units.map((i) => ({ head: `$i = ${i}$`, cells: units.map((j) => this.cell({ kind: "gradient", node: weight.node, index: [i, j] })) }));
    for (const i of units) for (const j of units) this.ask("gradient", { kind: "gradient", node: weight.node, index: [i, j] });
    return [{ title: `$\\partial L/\\partial ${weight.tex}[i, j]$`, heads: units.map((j) => `$j = ${j}$`), rows }];
  }

  /** Two numbers of the recurrent weight on their way from the gradient to their new value. */
  private update(): Table[] {
    const { film, grid } = this;
    const weight = grid.parameter("weight_hh");
    const made = weight && film.update(weight.node);
    const gradient = weight && film.trace.gradient(weight.node);
    if (!weight || !made || !gradient) return [];
    const ranked = Array.from({ length: gradient.size }, (_, k) => k).sort((one, other) => Math.abs(gradient.flat(other)) - Math.abs(gradient.flat(one)));
    const shown = ranked.filter((k) => gradient.unravel(k).every((place) => this.units.includes(place % grid.hidden)));
    const targets = shown.slice(0, 2).map((k): Target => ({ kind: "update", node: weight.node, index: gradient.unravel(k) }));
    const whys = targets.map((target) => this.why(target));
    const rows: Table["rows"] = [];
    const rules = Object.values(film.trace.rules)[0];
    const setting = (name: string): Cell | null => {
      const tensor = made.terms.get(name);
      return tensor && tensor.shape.length === 0 ? { value: tensor.flat(0), id: `setting:${name}` } : null;
    };
    for (const name of ["lr", "decayed_lr", "eps", "weight_decay", "momentum", "coefficient"]) {
      const cell = setting(name);
      if (cell && cell.value !== 0) rows.push({ head: `$${rules?.symbols[name] ?? name}$`, cells: targets.map(() => cell) });
    }
    rows.push({ head: `$${rules?.symbols.old ?? "\\theta"}$`, cells: whys.map((why, k) => (why.before === undefined ? null : { value: why.before, id: idOf(targets[k]!, "old") })) });
    (whys[0]?.ladder ?? []).forEach((step, r) => {
      const rung = step.name.key.replace("why.rung.", "");
      const asked = ["clipped", "scaled", "lookahead", "adaptive_step", "delta", "decay", "new"].includes(rung);
      const symbol = rung === "new" ? (rules?.symbols.new ?? "\\theta'") : step.symbol;
      rows.push({ head: `$${symbol.split(" = ")[0]!}$`, cells: whys.map((why, k) => ({ value: why.ladder![r]!.value, id: idOf(targets[k]!, rung) })) });
      if (!asked) return;
      whys.forEach((why, k) => {
        const formula = rung === "new" ? why.symbols : step.symbol;
        const name = this.symbols.element(weight.node, targets[k]!.index);
        this.candidates.push({ kind: "update", id: idOf(targets[k]!, rung), name, formula, value: why.ladder![r]!.value, why, step: step.name.key, rest: null });
      });
    });
    return [{ title: { key: "teach.sheet.update" }, heads: targets.map((target) => `$${this.symbols.element(weight.node, target.index)}$`), rows }];
  }
}
