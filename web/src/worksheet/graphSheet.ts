/** The parts of a graph's worksheet: what it is given, some of its operations with values and gradients, and all that could be asked of them. */
import { parenthesise, toLatex } from "../math/latex";
import type { Notation } from "../math/notation";
import { explainWhole, shorten, type Explanation, type Target } from "../model/explain";
import type { Film } from "../model/film";
import { Symbols } from "../model/symbols";
import { broadcastIndex, elementTerms, MOVES } from "../model/terms";
import type { Trace, TraceNode } from "../model/trace";
import { MOST_UNITS, type Kind, type Settings } from "./address";
import { idOf, restOf, type Candidate, type Cell, type Draft, type Table } from "./sheet";

const MOST_OPERATIONS = 12;
/** Lines of the two tables together; an operation is left out rather than cut. */
const MOST_LINES = 36;
/** Rows of a table that one node takes, along all axes but its last. */
const MOST_LINES_EACH = 4;

/** Structured ops whose gradient rule is told by their formula: the gradient of another is given, not asked. */
const TOLD: ReadonlySet<string> = new Set([...MOVES, "matmul", "linear", "sum", "cross_entropy", "mse_loss"]);

export function graphDraft(film: Film, settings: Settings, notation: Notation): Draft {
  const maker = new Maker(film, settings, notation);
  return { tables: maker.tables(), definitions: maker.definitions(), candidates: maker.candidates, extent: maker.extent };
}

/** The operations of a graph: all that computes, in order. */
const operationsOf = (trace: Trace): TraceNode[] => trace.nodes.filter(({ op, role }) => op !== null && op !== "truncate" && role !== "probe");

/** A formula in the place of a name. */
const compound = (tex: string): string => (/^\\?\w+(\{\w\})?(_\{[\w, ]*\})?$/.test(tex) ? tex : parenthesise(tex));

class Maker {
  readonly candidates: Candidate[] = [];
  readonly extent: Draft["extent"];
  private readonly trace: Trace;
  private readonly symbols: Symbols;
  private readonly units: number[];
  private readonly given: TraceNode[];
  private readonly operations: TraceNode[];
  private readonly listed: ReadonlySet<number>;

  constructor(
    private readonly film: Film,
    settings: Settings,
    private readonly notation: Notation,
  ) {
    const { trace } = film;
    this.trace = trace;
    this.symbols = new Symbols(trace, null, notation);
    this.units = settings.units ?? Array.from({ length: MOST_UNITS }, (_, i) => i);
    const all = operationsOf(trace);
    const fits = settings.steps && settings.steps[0] <= all.length ? settings.steps : null;
    const to = fits ? Math.min(fits[1], all.length) : all.length;
    let from = to + 1;
    let lines = 0;
    const leaves = new Set<number>();
    // from the last one back, as far as there is room for them and for what they start from
    while (from > Math.max(fits?.[0] ?? 1, to - MOST_OPERATIONS + 1)) {
      const node = all[from - 2]!;
      const before = node.inputs.map((input) => trace.through(input)).filter((input) => this.isLeaf(input) && !leaves.has(input));
      lines += this.lines(node) + before.reduce((sum, input) => sum + this.lines(trace.nodes[input]!), 0);
      if (lines > MOST_LINES && from <= to) break;
      for (const input of before) leaves.add(input);
      from--;
    }
    this.operations = all.slice(from - 1, to);
    const inside = new Set(this.operations.map(({ id }) => id));
    const needed = new Set(this.operations.flatMap(({ inputs }) => inputs.map((input) => trace.through(input))));
    this.given = trace.nodes.filter(({ id }) => needed.has(id) && !inside.has(id) && !this.literal(id));
    this.listed = new Set([...inside, ...this.given.map(({ id }) => id)]);
    const longest = [...this.given, ...this.operations].reduce((most, { shape }) => Math.max(most, ...shape), 0);
    this.extent = { from, to, length: all.length, most: MOST_OPERATIONS, units: this.units.filter((i) => i < Math.max(longest, MOST_UNITS)), unitCount: longest > MOST_UNITS ? longest : 0 };
  }

  tables(): Table[] {
    const parts = [
      { title: { key: "teach.sheet.given" }, nodes: this.given },
      { title: { key: "teach.sheet.operations" }, nodes: this.operations },
    ];
    const tables = parts.filter(({ nodes }) => nodes.length > 0).map(({ title, nodes }): Table => this.table(title, nodes));
    for (const node of this.operations) for (const index of this.elements(node)) this.askValue(node, index);
    for (const node of [...this.given, ...this.operations].reverse()) for (const index of this.elements(node)) this.askGradient(node, index);
    return tables;
  }

  /** What the numbered nodes of the tables are: those whose formula is too long to be a name. */
  definitions(): string[] {
    return [...this.given, ...this.operations].filter(({ id, op }) => op !== null && this.numbered(id)).map(({ id }) => `${this.symbols.of(id)} = ${this.direct(id)}`);
  }

  private numbered(node: number): boolean {
    return this.symbols.of(node) === `v_{${node}}`;
  }

  /** A node by its own operation on its inputs. */
  private direct(node: number): string {
    const { op, inputs } = this.trace.nodes[node]!;
    const entry = this.trace.ops[op!];
    const names = inputs.map((input) => this.symbols.of(input));
    if (entry?.formula !== undefined && entry.formula !== null) return toLatex(entry.formula, Object.fromEntries(entry.inputs.map((name, port) => [name, compound(names[port]!)])));
    if (op === "matmul" || op === "linear") return names.map(compound).join("\\,");
    if (op === "sum") return `\\sum ${compound(names[0]!)}`;
    return `\\operatorname{${op!.replaceAll("_", "\\_")}}(${names.join(", ")})`;
  }

  private isLeaf(node: number): boolean {
    return this.trace.nodes[node]!.op === null && !this.literal(node);
  }

  /** A number that stands in the formula itself. */
  private literal(node: number): boolean {
    const { op, label, path, shape } = this.trace.nodes[node]!;
    return op === null && label === null && shape.length === 0 && /(^|\/)constant#\d+$/.test(path);
  }

  /** The places along an axis that a sheet shows. */
  private places(size: number): number[] {
    const all = Array.from({ length: size }, (_, i) => i);
    const chosen = this.units.filter((i) => i < size);
    return size <= MOST_UNITS ? all : chosen.length > 0 ? chosen : all.slice(0, MOST_UNITS);
  }

  /** The shown places along all axes but the last. */
  private leads(node: TraceNode): number[][] {
    return node.shape.slice(0, -1).reduce<number[][]>((lists, size) => lists.flatMap((list) => this.places(size).map((i) => [...list, i])), [[]]).slice(0, MOST_LINES_EACH);
  }

  private lines(node: TraceNode): number {
    return this.leads(node).length;
  }

  private elements(node: TraceNode): number[][] {
    return this.leads(node).flatMap((lead) => (node.shape.length === 0 ? [[]] : this.places(node.shape.at(-1)!).map((i) => [...lead, i])));
  }

  private shown(node: number, index: readonly number[]): boolean {
    const at = this.trace.through(node);
    if (this.literal(at)) return true;
    const { shape } = this.trace.nodes[at]!;
    if (!this.listed.has(at)) return false;
    const lead = index.slice(0, -1).join();
    return shape.length === 0 || (this.places(shape.at(-1)!).includes(index.at(-1)!) && this.leads(this.trace.nodes[at]!).some((one) => one.join() === lead));
  }

  /** Whether all of a node stands on the sheet. */
  private whole(node: number): boolean {
    const at = this.trace.nodes[this.trace.through(node)]!;
    return this.literal(at.id) || (this.listed.has(at.id) && this.elements(at).length === this.trace.value(at.id).size);
  }

  /** Columns: the values along the last axis, then the gradients. */
  private table(title: Table["title"], nodes: readonly TraceNode[]): Table {
    const wide = Math.max(1, ...nodes.map(({ shape }) => (shape.length === 0 ? 1 : this.places(shape.at(-1)!).length)));
    const back = nodes.some(({ id }) => this.trace.gradient(id) !== null);
    const rows = nodes.flatMap((node) => {
      const last = node.shape.length === 0 ? [null] : this.places(node.shape.at(-1)!);
      return this.leads(node).map((lead): Table["rows"][number] => {
        const line = (kind: Target["kind"]): (Cell | null)[] => Array.from({ length: wide }, (_, k) => (k < last.length ? this.cell({ kind, node: node.id, index: last[k] === null ? [] : [...lead, last[k]!] }) : null));
        return { head: `$${this.name(node, lead)}$`, cells: [...line("value"), ...(back ? line("gradient") : [])] };
      });
    });
    const heads = (tex: string): string[] => Array.from({ length: wide }, (_, k) => (k === 0 ? tex : ""));
    return { title, heads: [...heads("$v$"), ...(back ? heads("$\\partial L/\\partial v$") : [])], rows };
  }

  /** What stands at the head of a row: the node, and which of its elements. */
  private name(node: TraceNode, lead: readonly number[]): string {
    const last = node.shape.length === 0 ? null : this.places(node.shape.at(-1)!).join(",");
    const own = this.symbols.named(node.id);
    const tex = own ?? this.symbols.of(node.id);
    return last === null ? tex : `${own === null ? parenthesise(tex) : tex}[${[...lead, last].join("; ")}]`;
  }

  private cell(target: Target): Cell | null {
    if (target.kind === "value") return { value: this.trace.value(target.node).at(target.index), id: idOf(target) };
    const gradient = this.trace.gradient(target.node);
    return gradient && { value: gradient.at(target.index), id: idOf(target) };
  }

  private push(kind: Kind, target: Target, why: Explanation, rest: number | null): void {
    this.candidates.push({ kind, id: idOf(target), name: why.title, formula: this.formula(target, why), value: why.value!, why: shorten(why), step: null, rest });
  }

  /** What the number follows from: nothing more where the name says it (an operation without a name is called by its formula). */
  private formula({ kind, node }: Target, { symbols }: Explanation): string {
    if (kind === "gradient") return symbols;
    const own = this.symbols.named(node);
    return own === null ? "" : /= v_\{\d+\}$/.test(symbols) ? `${own} = ${this.direct(node)}` : symbols;
  }

  private why(target: Target): Explanation {
    return explainWhole(this.film, target, this.film.length, 0, this.notation);
  }

  private askValue(node: TraceNode, index: number[]): void {
    const target: Target = { kind: "value", node: node.id, index };
    if (MOVES.has(node.op!) || this.trace.typedOver(node.id) !== null) return;
    const known = this.knownTerms(node, index);
    if (known === null) return;
    const value = this.trace.value(node.id).at(index);
    this.push(node.id === this.trace.loss ? "loss" : "forward", target, this.why(target), known === "all" ? null : restOf(value, known));
  }

  /** What of an element can be computed from the sheet: all of it, or the terms of its sum that stand there; null for nothing. */
  private knownTerms(node: TraceNode, index: readonly number[]): "all" | number[] | null {
    const { trace } = this;
    const { inputs, op } = node;
    const terms = elementTerms(trace, node.id, index);
    if (terms === null) {
      const elementwise = trace.ops[op!]?.kind === "elementwise";
      const all = inputs.every((input) => (elementwise ? this.shown(input, broadcastIndex(index, trace.nodes[input]!.shape)) : this.whole(input)));
      return all ? "all" : null;
    }
    const product = op === "matmul" || op === "linear";
    const known = terms.filter((term) => this.shown(inputs[term.port]!, term.index) && (!product || this.factorShown(node, index, term.index)));
    return known.length === 0 ? null : known.map(({ port, index: at, factor }) => factor * trace.value(inputs[port]!).at(at));
  }

  /** Whether the other factor of a term of a product stands on the sheet: the element of the second input. */
  private factorShown({ op, inputs }: TraceNode, index: readonly number[], at: readonly number[]): boolean {
    const k = at.at(-1)!;
    const { shape } = this.trace.nodes[inputs[1]!]!;
    return this.shown(inputs[1]!, op === "linear" ? [index.at(-1)!, k] : shape.length === 1 ? [k] : [k, index.at(-1)!]);
  }

  private askGradient(node: TraceNode, index: number[]): void {
    const target: Target = { kind: "gradient", node: node.id, index };
    if (node.id === this.trace.loss || this.trace.gradient(node.id) === null) return;
    const all = this.film.contributions(node.id);
    if (all.length === 0 || all.some(({ kind, node: consumer }) => kind !== "vjp" || !this.told(consumer))) return;
    const why = this.why(target);
    if (why.value === null) return;
    const known = why.rows.filter((row) => row.target?.kind === "gradient" && this.shown(row.target.node, row.target.index) && this.factorsShown(row.target.node, row.target.index));
    const closed = all.every(({ node: consumer }) => this.listed.has(consumer) && this.trace.nodes[consumer]!.inputs.every((input) => this.whole(input)));
    if (!closed && known.length === 0) return;
    this.push("gradient", target, why, closed ? null : restOf(why.value, known.map(({ value }) => value)));
  }

  private told(consumer: number): boolean {
    const op = this.trace.nodes[consumer]!.op ?? "";
    return TOLD.has(op) || this.trace.ops[op]?.kind === "elementwise";
  }

  /** Whether what a gradient is multiplied with on its way through an element of `consumer` stands on the sheet. */
  private factorsShown(consumer: number, index: readonly number[]): boolean {
    const { inputs, op } = this.trace.nodes[consumer]!;
    if (this.trace.ops[op ?? ""]?.kind !== "elementwise") return inputs.every((input) => this.listed.has(this.trace.through(input)));
    return inputs.every((input) => this.shown(input, broadcastIndex(index, this.trace.nodes[input]!.shape)));
  }
}
