/** One event of a network's film as a sentence, with the names that stand on the screen: which operation, from where, to where. */
import { USUAL, type Notation } from "../../math/notation";
import type { NetworkGrid } from "../../model/network";
import { Symbols } from "../../model/symbols";
import type { Trace } from "../../model/trace";
import { eventWords, type Words } from "../../transport/words";
import "./words";

/** Operations that have a sentence of their own; any other goes by its name. */
const FORWARD = new Set(["linear", "add", "sub", "mul", "tanh", "sigmoid", "index", "stack", "cross_entropy", "mse_loss"]);
const SLOPES = new Set(["tanh", "sigmoid", "relu"]);
const LOSSES = new Set(["cross_entropy", "mse_loss"]);
const SIGNS: Record<string, string> = { add: " + ", sub: " - ", mul: "\\," };

/** Symbols of what has no name on the screen, alone or within a formula. */
const NAMELESS = /v_\{|^v_|\\operatorname/;

class Names {
  private readonly symbols: Symbols;

  constructor(
    private readonly trace: Trace,
    grid: NetworkGrid,
    notation: Notation,
  ) {
    this.symbols = new Symbols(trace, grid, notation);
  }

  /** Its symbol, else its formula over those that have one. Of many states: the first and the last. */
  of(node: number): string {
    const tex = this.symbols.of(node);
    if (!NAMELESS.test(tex)) return tex;
    const { op, inputs } = this.trace.nodes[node]!;
    if (op === "stack" || op === "concat") return `${this.of(inputs[0]!)}, \\dots, ${this.of(inputs.at(-1)!)}`;
    if (op === "linear") return `${this.of(inputs[1]!)}\\,(${this.of(inputs[0]!)})`;
    if (op !== null && SIGNS[op] !== undefined) return inputs.map((input) => this.of(input)).join(SIGNS[op]);
    return op !== null && inputs.length === 1 ? this.of(inputs[0]!) : tex;
  }

  /** With what it is, where it has a name of its own: a_1 = W x_1 + … */
  defined(node: number): string {
    const [name, formula] = [this.of(node), this.symbols.composed(node)];
    return this.symbols.named(node) === null || name === formula || NAMELESS.test(formula) ? name : `${name} = ${formula}`;
  }
}

const inTex = (tex: string): string => `$${tex}$`;

/** Event `e`: a message and its parameters. */
export default function eventCaption(trace: Trace, grid: NetworkGrid, e: number, notation: Notation = USUAL): Words {
  const { events, nodes } = trace;
  const names = new Names(trace, grid, notation);
  const [node, target, port] = [nodes[events.node(e)], events.target(e), events.port(e)];
  if (!node) return eventWords(trace, e);
  const op = node.op ?? "";
  const to = target < 0 ? "" : inTex(names.of(target));
  switch (events.kind(e)) {
    case "forward":
      if (node.label === "x" && node.time !== null) return { key: "said.input", params: { name: inTex(names.of(node.id)), t: node.time } };
      return { key: FORWARD.has(op) ? `said.${op}` : "said.gives", params: { op, name: inTex(names.defined(node.id)) } };
    case "seed":
      return { key: "said.seed", params: {} };
    case "vjp":
      return { key: `said.back_${wayBack(op, port)}`, params: { op, from: inTex(names.of(node.id)), to, other: node.inputs.length === 2 ? inTex(names.of(node.inputs[1 - port]!)) : "" } };
    case "unbroadcast":
      return { key: "said.unbroadcast", params: { to } };
    case "accumulate": {
      const { time } = nodes[target]!;
      const inside = time !== null && !grid.chains.some((chain) => chain.columns.some(({ h, c, x }) => [h, c, x].includes(target))) && nodes[target]!.role !== "probe";
      return { key: inside ? "said.accumulate_inside" : "said.accumulate", params: { to, t: time ?? 0 } };
    }
    default:
      return eventWords(trace, e);
  }
}

/** How an operation passes its gradient on to what came in by `port`. */
function wayBack(op: string, port: number): string {
  if (op === "add" || op === "truncate" || (op === "sub" && port === 0)) return "same";
  if (op === "sub") return "minus";
  if (op === "mul") return "factor";
  if (op === "linear") return port === 0 ? "through" : "weight";
  if (op === "index") return "part_of";
  if (op === "stack" || op === "concat") return "parts";
  if (SLOPES.has(op)) return "slope";
  return LOSSES.has(op) ? "loss" : "other";
}
