// How nodes and their elements are written: h_{3}[1], W_{hh}[0, 2], dL/dw, delta_{4}[0].

import { labelTex } from "../math/label";
import { formatNumber, parenthesise, toLatex } from "../math/latex";
import { isUpdateGate, keeps, product, renews, USUAL, type Notation } from "../math/notation";
import { GATES, placeOf, type NetworkGrid } from "./network";
import { layerMark, marked, parameterTex, placeIn, stackOf, type Stack } from "./stack";
import type { Trace, TraceNode, Tree } from "./trace";

const LONGEST = 14; // pieces of a formula that names a node; longer ones are called v with the node's number

export class Symbols {
  private readonly made = new Map<number, string>();
  private readonly stack: Stack;

  constructor(
    private readonly trace: Trace,
    private readonly grid: NetworkGrid | null,
    private readonly notation: Notation = USUAL,
  ) {
    this.stack = stackOf(trace);
  }

  /** The symbol of a node, as it stands in a formula. */
  of(node: number): string {
    let tex = this.made.get(node);
    if (tex === undefined) this.made.set(node, (tex = this.mixing(node) ?? this.named(node) ?? this.composed(node)));
    return tex;
  }

  /** What a GRU's states are mixed with, PyTorch's z and 1 - z, under the convention that is shown; null for any other node. */
  private mixing(node: number): string | null {
    const { op, inputs } = this.trace.nodes[node]!;
    const [one, gate] = op === "sub" ? inputs : [];
    const complement = gate !== undefined && this.trace.nodes[one!]!.op === null && isUpdateGate(this.trace.nodes[gate]!);
    if (complement) return this.notation.z === "keep" ? null : renews(this.notation, this.named(gate)!);
    return isUpdateGate(this.trace.nodes[node]!) ? keeps(this.notation, this.named(node)!) : null;
  }

  /** The symbol of one element. In a network the first axis is the example: it stands as an exponent, and only in a batch. */
  element(node: number, index: readonly number[]): string {
    const rows = this.hasRows(node);
    const shown = rows ? index.slice(1) : index;
    let tex = this.named(node) ?? this.of(node);
    if (this.named(node) === null && shown.length > 0) tex = inBrackets(tex);
    if (rows && index.length > 0 && this.grid!.examples.length > 1) tex = `${tex.includes("^") ? `{${tex}}` : tex}^{(${index[0]})}`;
    return shown.length > 0 ? `${tex}[${shown.join(", ")}]` : tex;
  }

  /** dL/d of an element, or delta for what an activation is applied to. */
  gradient(node: number, index: readonly number[]): string {
    return this.delta(node, index) ?? `\\dfrac{\\partial L}{\\partial ${this.operand(node, index)}}`;
  }

  /** The same on one line, for rows and sentences. */
  inlineGradient(node: number, index: readonly number[]): string {
    return this.delta(node, index) ?? `\\partial L/\\partial ${this.operand(node, index)}`;
  }

  /** dL/d of a whole node, for equations. */
  wholeGradient(node: number): string {
    const shape = this.trace.nodes[node]!.shape;
    const delta = this.delta(node, shape.map(() => 0), true);
    return delta ?? `\\frac{\\partial L}{\\partial ${this.operand(node, [])}}`;
  }

  private operand(node: number, index: readonly number[]): string {
    const shown = this.hasRows(node) ? index.slice(1) : index;
    return shown.length === 0 && this.named(node) === null ? inBrackets(this.of(node)) : this.element(node, index);
  }

  /** Whether the first axis of a node counts examples. */
  hasRows(node: number): boolean {
    const { role, shape } = this.trace.nodes[node]!;
    return this.grid !== null && role !== "parameter" && shape.length > 0;
  }

  /** The symbol a node has of its own; null when it is named by its formula. */
  named(node: number): string | null {
    const { label, op, path, role, time } = this.trace.nodes[node]!;
    if (node === this.trace.loss) return "L";
    if (op === "truncate" && label === null) return this.named(this.trace.through(node));
    if (op === null && label === null && /(^|\/)constant#\d+$/.test(path)) return this.constant(node);
    if (op === null) return parameterTex(path, this.stack) ?? initial(label, this.stack) ?? (label === "target" ? "y" : labelTex(label ?? path));
    const at = time === null ? "" : `_{${time}}`;
    if (label === "logits") return `z${at}`;
    if (label === "y_hat") return `\\hat{y}${at}`;
    if (label !== null && role !== "loss") return this.atPlace(labelTex(label), label, node) + at;
    return null;
  }

  /** A symbol of a cell with the marks of its layer and direction; what a layer gives the next one as a whole has no arrow. */
  private atPlace(tex: string, label: string, node: number): string {
    const place = placeIn(this.trace.nodes[node]!.scope);
    if (place === null || label === "x") return tex;
    return place.both ? `h${layerMark(place.layer, this.stack)}` : marked(tex, place, this.stack);
  }

  /** A number that stands in the program: itself. */
  private constant(node: number): string {
    const value = this.trace.value(node);
    if (value.shape.length > 0) return `v_{${node}}`;
    const text = formatNumber(value.flat(0));
    return text.startsWith("-") ? `(${text})` : text;
  }

  /** delta_t of the product, the sum with the bias, or `a`, of a cell; null for any other node. */
  delta(node: number, index: readonly number[], whole = false): string | null {
    const side = this.preactivation(node);
    if (!side || !this.grid) return null;
    const { hidden, cell } = this.grid;
    const row = index.at(-1)!;
    const { time, scope } = this.trace.nodes[node]!;
    const gate = side === "gate" ? scope.at(-1)! : GATES[cell]![Math.floor(row / hidden)];
    const place = placeIn(scope)!;
    const layer = this.stack.layers > 1 ? `[${place.layer + 1}]` : "";
    const name = `${marked("\\delta", { ...place, layer: 0 }, { ...this.stack, layers: 1 })}_{${time}}`;
    const raised = (...parts: (string | undefined)[]): string => (parts.some(Boolean) ? `${name}^{${parts.filter(Boolean).join(",")}}` : name);
    if (whole) return raised(layer, side === "gate" ? gate : "");
    const batch = this.grid.examples.length > 1 ? `(${index[0]})` : "";
    const delta = `${raised(layer, gate, batch)}[${row % hidden}]`;
    return cell === "gru" && gate === "n" && side === "state" ? `r_{${time}}[${row % hidden}]\\,${delta}` : delta;
  }

  /** Whether a node is what goes into the gates of a cell, and from which side it comes. */
  preactivation(node: number): "input" | "state" | "sum" | "gate" | null {
    const { op, inputs, label, time } = this.trace.nodes[node]!;
    if (!this.grid || time === null) return null;
    const place = placeOf(this.trace.nodes[node]!, this.grid.cell);
    if (!place) return null;
    if (place.gate !== null && label === null && op === (this.grid.cell === "lstm" ? "index" : "add")) return "gate";
    if (place.gate !== null) return null;
    if (op === "linear") return this.trace.nodes[this.trace.through(inputs[1]!)]!.path.includes("weight_hh") ? "state" : "input";
    if (op !== "add") return null;
    if (label === "a") return "sum";
    return this.trace.nodes[inputs[0]!]!.op === "linear" ? this.preactivation(inputs[0]!) : null;
  }

  /** The formula of a node over the named nodes it comes from. */
  composed(node: number): string {
    const symbols: Record<string, string> = {};
    let size = 0;
    const build = (id: number): Tree => {
      size++;
      const name = this.mixing(id) ?? this.named(id);
      const key = `#${id}`;
      if (name !== null && id !== node) {
        symbols[key] = name;
        return key;
      }
      const { op, inputs, attributes } = this.trace.nodes[id]!;
      if (size > LONGEST || op === null) return key;
      const typed = this.trace.typedOver(id);
      if (typed !== null) return build(typed);
      const entry = this.trace.ops[op];
      const parts = inputs.map(build);
      if (op === "linear") {
        if (this.notation.product === "column") return ["matmul", parts[1]!, parts[0]!];
        symbols[key] = product(this.notation, toLatex(parts[1], symbols), factor(parts[0]!, symbols));
        return key;
      }
      if (op === "matmul") return ["matmul", parts[0]!, parts[1]!];
      if (op === "index") {
        const gate = this.gateOf(this.trace.nodes[id]!);
        if (gate === null) return parts[0]!;
        symbols[key] = `\\left(${toLatex(parts[0], symbols)}\\right)_{${gate}}`;
        return key;
      }
      if (entry?.formula !== undefined && entry.formula !== null) return substitute(entry.formula, entry.inputs, parts);
      return ["call", op, ...parts, ...(attributes.axis === undefined ? [] : [{ axis: attributes.axis } as unknown as Tree])];
    };
    const tree = build(node);
    return size > LONGEST || tree === `#${node}` ? (symbols[`#${node}`] ?? `v_{${node}}`) : toLatex(tree, symbols);
  }

  /** The gate whose rows an `index` node takes from the stacked ones; null when it takes none. */
  private gateOf(node: TraceNode): string | null {
    const parts = node.attributes.index as unknown[] | undefined;
    const columns = parts?.[1];
    if (!this.grid || !Array.isArray(columns)) return null;
    const start = (columns[1] as number | null) ?? 0;
    return GATES[this.grid.cell]![start / this.grid.hidden] ?? null;
  }
}

/** In brackets, unless it stands in some already: `(W x)`, `(W x + b)_{f}`. */
export function inBrackets(tex: string): string {
  const text = tex.replaceAll("\\left(", "(").replaceAll("\\right)", ")").replace(/_(\w|\{\w+\})$/, "");
  let depth = 0;
  const closes = [...text].findIndex((character) => {
    depth += character === "(" ? 1 : character === ")" ? -1 : 0;
    return depth === 0;
  });
  return closes === [...text].length - 1 && closes > 0 ? tex : parenthesise(tex);
}

/** A vector that is multiplied from the right. */
function factor(tree: Tree, symbols: Record<string, string>): string {
  const text = toLatex(tree, symbols);
  return Array.isArray(tree) && (tree[0] === "add" || tree[0] === "sub") ? parenthesise(text) : text;
}

/** `h_0` of the first layer, forward; `h_0_l1_reverse` of others. */
function initial(label: string | null, stack: Stack): string | null {
  const match = /^([hc])_0(?:_l(\d+)(_reverse)?)?$/.exec(label ?? "");
  return match && `${marked(match[1]!, { layer: Number(match[2] ?? 0), reverse: match[3] !== undefined }, stack)}_{0}`;
}

function substitute(formula: Tree, names: readonly string[], parts: readonly Tree[]): Tree {
  if (typeof formula === "string") {
    const port = names.indexOf(formula);
    return port < 0 ? formula : parts[port]!;
  }
  if (typeof formula === "number") return formula;
  const [head, ...rest] = formula;
  if (head === "call") return [head, rest[0]!, ...rest.slice(1).map((part) => substitute(part, names, parts))];
  return [head, ...rest.map((part) => substitute(part, names, parts))];
}
