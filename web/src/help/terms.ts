/** What the inspector calls a kind of number, and the entry of the glossary that says more about it. */
const ENTRIES: Readonly<Record<string, string>> = {
  "why.kind.hidden": "state", "why.kind.initial": "state", "why.kind.cell_state": "cell_state", "why.kind.input": "input", "why.kind.parameter": "weights",
  "why.kind.probability": "softmax", "why.kind.cross_entropy": "cross_entropy", "why.kind.mse": "mse", "why.kind.gradient": "gradient",
  "why.kind.shared_weight": "bptt", "why.kind.shared_bias": "bptt", "why.kind.reset": "gru",
};

/** null: there is none. `cell` is the cell of the network, `optimizer` what moves its parameters. */
export function entryOf(kind: string, cell: string | null, optimizer: string | null): string | null {
  if (kind === "why.kind.gate" || kind === "why.kind.candidate") return cell === "lstm" || cell === "gru" ? cell : null;
  if (kind === "why.kind.update") return optimizer === "sgd" || optimizer === "adamw" ? optimizer : null;
  return ENTRIES[kind] ?? null;
}
