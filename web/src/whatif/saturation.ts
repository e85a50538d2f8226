/** How far the units of a layer are saturated, and the edits that drive them there: what comes in from the input is scaled, W_hh stays. */
import { GATES, type NetworkGrid } from "../model/network";
import type { Edit } from "../model/program";
import type { Tensor, Trace } from "../model/trace";
import { isValue, lists, withTensor } from "./edits";

const MOST = 8192; // numbers that are scaled: all of them stand in the address
const NEARLY = 0.1; // of its greatest, the slope of a saturated unit

/** Paths of what a layer's pre-activations get from outside its recurrence: W_ih and both biases. Null where the layer is too wide. */
export function inputsOf(trace: Trace, original: Trace, grid: NetworkGrid): string[] | null {
  const paths = ["weight_ih", "bias_ih", "bias_hh"].flatMap((name) => {
    const node = grid.parameter(name)?.node;
    return node === undefined ? [] : [trace.nodes[node]!.path];
  });
  if (paths.length === 0 || !paths.every((path) => original.has(path))) return null;
  return paths.reduce((count, path) => count + original.value(original.node(path).id).size, 0) <= MOST ? paths : null;
}

/** The edits with these parameters `factor` times as large as in the original; at 1 they are as they were. */
export function withGain(edits: readonly Edit[], original: Trace, paths: readonly string[], factor: number): Edit[] {
  const kept = edits.filter((edit) => !(isValue(edit) && paths.some((path) => path === edit.node)));
  if (factor === 1) return kept;
  return paths.reduce<Edit[]>((list, path) => {
    const tensor = original.value(original.node(path).id);
    return withTensor(list, path, lists(tensor.data, tensor.shape, factor));
  }, kept);
}

/** By what a tensor was scaled, single elements that were typed over aside: the median of what its elements are as multiples of what they were. 1 where all were 0. */
export function scaleOf(now: Tensor, before: Tensor): number {
  const ratios = Array.from(before.data, (was, i) => (was === 0 ? NaN : now.data[i]! / was)).filter((ratio) => !Number.isNaN(ratio)).sort((a, b) => a - b);
  return ratios.length === 0 ? 1 : ratios[Math.floor(ratios.length / 2)]!;
}

/** The share of activations, over all steps, units and gates of a layer and all examples, whose slope is below a tenth of its greatest; null where there are none. */
export function saturated(trace: Trace, grid: NetworkGrid): number | null {
  let [count, of] = [0, 0];
  for (const column of grid.columns) {
    const nodes: [number, boolean][] = grid.cell === "rnn" ? [[column.h, true]] : [...GATES[grid.cell]!].flatMap((gate): [number, boolean][] => (column.gates.has(gate) ? [[column.gates.get(gate)!, gate === "g" || gate === "n"]] : []));
    for (const [node, tanh] of nodes) {
      for (const y of trace.value(node).data) {
        of++;
        if ((tanh ? 1 - y * y : 4 * y * (1 - y)) < NEARLY) count++;
      }
    }
  }
  return of === 0 ? null : count / of;
}
