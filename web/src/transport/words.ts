/** An event in words: what the transport and the list for screen readers say of it. Gives message keys and their parameters. */
import { symbol as texOfName } from "../math/latex";
import { marked, parameterTex, placeIn, stackOf } from "../model/stack";
import { OPTIMIZER_NAMES } from "../model/program";
import type { EventKind, Trace } from "../model/trace";

export interface Words {
  key: string;
  params: Record<string, string | number>;
}

export function optimizerName(name: string): string {
  return OPTIMIZER_NAMES[name] ?? name;
}

const LABELS: Record<string, string> = { logits: "\\mathrm{logits}", y_hat: "\\hat{y}", h_0: "h_0", c_0: "c_0" };

/** The symbol of a node in TeX: that of the parameter, else its label with its step; null for what has no name. */
export function symbolOf(trace: Trace, id: number): string | null {
  const node = trace.nodes[id];
  if (!node) return null;
  const stack = stackOf(trace);
  const parameter = parameterTex(node.path, stack);
  if (parameter) return parameter;
  if (!node.label) return node.op === null ? `\\mathrm{${node.path.replaceAll("_", "\\_")}}` : null;
  const place = placeIn(node.scope);
  const plain = LABELS[node.label] ?? (place || node.time !== null ? node.label : texOfName(node.label));
  const symbol = node.label === "both" ? "h" : place && node.label !== "x" ? marked(plain, place, stack) : plain;
  return node.time === null ? symbol : `${symbol}_{${node.time}}`;
}

/** Event `e` of a trace. A node without a symbol goes by the name of its op. */
export function eventWords(trace: Trace, e: number): Words {
  const { events } = trace;
  const node = events.node(e);
  const target = events.target(e);
  const time = trace.nodes[node]?.time ?? null;
  const params = {
    op: node >= 0 ? (trace.nodes[node]!.op ?? "") : "",
    t: time ?? "",
    name: named(trace, events.kind(e) === "forward" || events.kind(e) === "update" ? node : target),
  };
  switch (events.kind(e)) {
    case "forward":
      return { key: time === null ? "stage.event.forward" : "stage.event.forward_at", params };
    case "zero_grad":
      return { key: "stage.event.zero_grad", params };
    case "seed":
      return { key: "stage.event.seed", params };
    case "vjp":
      return { key: time === null ? "stage.event.vjp" : "stage.event.vjp_at", params };
    case "unbroadcast":
      return { key: "stage.event.unbroadcast", params };
    case "accumulate":
      return { key: time === null ? "stage.event.accumulate" : "stage.event.accumulate_at", params };
    case "clip":
      return { key: "stage.event.clip", params };
    case "update": {
      const program = trace.program;
      return { key: "stage.event.update", params: { ...params, rule: program.kind === "network" ? optimizerName(program.optimizer.name) : "" } };
    }
  }
}

function named(trace: Trace, node: number): string {
  const symbol = symbolOf(trace, node);
  return symbol ? `$${symbol}$` : (trace.nodes[node]?.op ?? "");
}

const SHORT: Record<EventKind, [string, string]> = {
  forward: ["stage.short.forward", "stage.short.forward_at"],
  zero_grad: ["stage.event.zero_grad", "stage.event.zero_grad"],
  seed: ["stage.event.seed", "stage.event.seed"],
  vjp: ["stage.short.vjp", "stage.short.vjp_at"],
  unbroadcast: ["stage.short.unbroadcast", "stage.short.unbroadcast_at"],
  accumulate: ["stage.short.accumulate", "stage.short.accumulate_at"],
  clip: ["stage.short.clip", "stage.short.clip"],
  update: ["stage.event.update", "stage.event.update"],
};

/** The same in two or three words, for the transport. */
export function shortWords(trace: Trace, e: number): Words {
  const { params } = eventWords(trace, e);
  return { key: SHORT[trace.events.kind(e)][params.t === "" || params.t === undefined ? 0 : 1], params };
}
