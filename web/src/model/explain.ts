// Why this number? For a value, a gradient or an update at a moment: the sentence, the formula in symbols and in numbers, and the rows
// that add up to it. Words are keys of the catalogue; symbols are TeX between dollar signs.

import { USUAL, type Notation } from "../math/notation";
import { topRows, total, type Context, type Explanation, type Target } from "./explanation";
import { explainContribution, explainHop } from "./explainEdge";
import { explainGradient } from "./explainGradient";
import { explainUpdate } from "./explainUpdate";
import { explainValue } from "./explainValue";
import type { Film } from "./film";
import { six } from "./format";
import { NetworkGrid } from "./network";
import { Symbols } from "./symbols";
import type { Trace } from "./trace";

export type { Explanation, LadderStep, Message, Move, Row, Target, Text, Use } from "./explanation";

export const MOST_ROWS = 8;

const grids = new WeakMap<Trace, NetworkGrid | null>();

/** Why the number `target` is what it is at moment m, written in `notation`. Throws RangeError for an element that does not exist. */
export function explain(film: Film, target: Target, m: number, example: number, notation: Notation = USUAL): Explanation {
  return shorten(explainWhole(film, target, m, example, notation));
}

/** The same with all its rows, however many. */
export function explainWhole(film: Film, target: Target, m: number, example: number, notation: Notation): Explanation {
  const { trace } = film;
  if (!grids.has(trace)) grids.set(trace, NetworkGrid.of(trace));
  const whole = grids.get(trace) ?? null;
  const grid = whole?.showing(whole.chainOf(trace.nodes[target.node]!)) ?? null;
  const context: Context = { film, trace, grid, symbols: new Symbols(trace, grid, notation), notation, m, example };
  trace.value(target.node).offset(target.index); // the element exists
  const updated = film.update(target.node);
  const explanation =
    target.kind === "update" || (target.kind === "value" && updated !== null && updated.event < m)
      ? explainUpdate(context, target)
      : target.kind === "hop"
        ? explainHop(context, target)
        : target.kind === "gradient"
          ? (target.part === undefined ? explainGradient : explainContribution)(context, target)
          : explainValue(context, target);
  explanation.note = noteOf(explanation);
  if (grid) explanation.symbols = grid.equation(explanation.symbols);
  return explanation;
}

/** What is said of a value that is no finite number, where the sentence does not say it already. */
function noteOf({ value, sentence }: Explanation): Explanation["note"] {
  if (value === null || Number.isFinite(value) || /\.(update|hop)_/.test(sentence.key)) return null;
  return Number.isNaN(value) ? { key: "why.note.nan" } : { key: "why.note.infinite", params: { value: six(value, false) } };
}

/** Says what more rows than there is room for are together. */
export function shorten(explanation: Explanation): Explanation {
  const { rows } = explanation;
  if (rows.length > 0) explanation.sum ??= total(rows);
  return rows.length <= MOST_ROWS ? explanation : topRows(explanation, MOST_ROWS - 1);
}
