/** The six stops of the tour: where the film stands, what is pointed at, and what is said, with this film's own numbers. */
import { explain } from "../model/explain";
import type { Film } from "../model/film";
import { decimals, six } from "../model/format";
import { gradientNorm, slice, tokenText, type NetworkGrid } from "../model/network";
import { beats, type Beat } from "../model/stops";

export interface Stop {
  name: "forward" | "loss" | "backward" | "sum" | "update" | "again";
  /** How many events have happened; "after": the forward pass with the new parameters. */
  at: number | "after";
  /** What is pointed at: all that these selectors find. What comes later stands in where nothing is found. */
  anchors: readonly (readonly string[])[];
  /** What the callout must not cover either. */
  keep?: readonly string[];
  /** Whether each thing has a ring of its own. */
  each?: boolean;
  /** The message, and its numbers. */
  key: string;
  params: Record<string, string | number>;
}

const id = (name: string): string => `[data-testid="${name}"]`;
const begins = (name: string): string => `[data-testid^="${name}"]`;

/** Stops that a film has not (one that only went forward, say) are left out. */
export function tourOf(film: Film, grid: NetworkGrid, example: number): Stop[] {
  const list = beats(film);
  const steps = grid.examples[example]?.length ?? grid.columns.length;
  const end = (test: (beat: Beat) => boolean): number | null => list.findLast(test)?.to ?? null;
  const middle = Math.min(steps, Math.max(1, Math.ceil(steps / 2)));
  const own = grid.chains.length > 1 ? `${grid.shown.suffix}-` : "";

  const forward = end((beat) => beat.phase === "forward" && beat.what === "step" && beat.time === middle);
  const loss = end((beat) => beat.phase === "loss");
  const backward = end((beat) => beat.phase === "backward");
  const update = film.moving < film.length ? end((beat) => beat.phase === "update") : null;
  const lossOf = (of: Film): string => six(of.trace.value(grid.loss).flat(0), false);
  const prediction = [[id(`prediction-${steps}`), id("loss-value")]];
  const norm = (t: number): number | null => gradientNorm(film, grid, t, example, film.length);
  const [last, first] = [norm(steps), norm(1)];

  const stops: Stop[] = [];
  if (forward !== null) {
    const token = tokenText(film.trace, example, middle);
    stops.push({ name: "forward", at: forward, anchors: [[id(`cell-${own}${middle}`)]], key: token ? "help.say.forward_token" : "help.say.forward", params: { steps, t: middle, token } });
  }
  if (loss !== null) {
    const target = targetProbability(film, grid, steps, example);
    stops.push({ name: "loss", at: loss, anchors: prediction, each: true, key: target === null ? "help.say.loss" : "help.say.loss_class", params: { loss: lossOf(film), p: target === null ? "" : six(target, false) } });
  }
  if (backward !== null) {
    const said = last !== null && first !== null && last > 0 && steps > 1 && grid.readout !== "every";
    stops.push({
      name: "backward", at: backward, anchors: [[begins(`hop-${own}h-`)], [begins("hop-")], [id(`cell-${own}1`)]],
      keep: [begins("cell-")], each: true,
      key: said ? (first < last ? "help.say.backward" : "help.say.backward_grown") : "help.say.backward_plain",
      params: said ? { steps, last: decimals(last, 3, false), first: decimals(first, 3, false) } : {},
    });
    stops.push({ name: "sum", at: backward, anchors: [[begins("norm-"), `${begins("share-")}:not(${id("share-size")}, ${id("share-sum")})`, begins("along-")], ["section.tray"]], keep: [id("share-sum")], key: "help.say.sum", params: { steps } });
  }
  if (update !== null) {
    const weight = grid.parameter("weight_hh");
    const target = weight && { kind: "update" as const, node: weight.node, index: [0, 0] };
    const move = target ? explain(film, target, film.length, example).move : undefined;
    stops.push({ name: "update", at: update, anchors: [["[data-testid=inspector] table", "[data-testid=inspector] svg"], [id("inspector")]], key: move ? "help.say.update" : "help.say.update_plain", params: {} });
  }
  if (film.updated) {
    const [before, after] = [film.trace.value(grid.loss).flat(0), film.updated.trace.value(grid.loss).flat(0)];
    stops.push({ name: "again", at: "after", anchors: prediction, each: true, key: after < before ? "help.say.again" : "help.say.again_worse", params: { before: lossOf(film), after: lossOf(film.updated) } });
  }
  return stops;
}

/** The probability of the right class at the last step; null where the answer is a number. */
function targetProbability(film: Film, grid: NetworkGrid, steps: number, example: number): number | null {
  const node = grid.column(steps)?.probe?.p ?? null;
  const target = grid.examples[example]?.target;
  return node === null || typeof target !== "number" ? null : (slice(film.trace.value(node), example)[target] ?? null);
}
