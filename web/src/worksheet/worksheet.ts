/**
 * A worksheet of one training step: tables of its numbers with blanks, a question for each, and the answers. Pure, and the same for the same
 * film and settings, so that an answer key fits its sheet.
 */
import type { Film } from "../model/film";
import type { NetworkGrid } from "../model/network";
import type { Notation } from "../math/notation";
import type { Settings } from "./address";
import { graphDraft } from "./graphSheet";
import { networkDraft } from "./networkSheet";
import { written, type Answer, type Blank, type Candidate, type Extent, type Table } from "./sheet";

export interface Worksheet {
  tables: Table[];
  /** TeX of what stands in the tables under a number in place of a name. */
  definitions: string[];
  blanks: Blank[];
  /** One a blank, in the same order. */
  answers: Answer[];
  /** How many blanks there could be. */
  possible: number;
  extent: Extent;
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

/** The sheet of a film: of the cells that `grid` shows, or, where there is no grid, of the graph's operations. */
export function worksheet(film: Film, grid: NetworkGrid | null, example: number, settings: Settings, notation: Notation, className?: (index: number) => string): Worksheet {
  const draft = grid ? networkDraft(film, grid, example, settings, notation, className ?? ((k) => grid.batch.classes?.[k] ?? String(k))) : graphDraft(film, settings, notation);
  const candidates = draft.candidates.filter(({ kind }) => settings.kinds.includes(kind));
  const chosen = choose(candidates, settings, occurrences(draft.tables));
  const blanks = chosen.map(({ kind, id, name, formula, step, rest }, i): Blank => ({ letter: String.fromCharCode(65 + i), kind, id, name, formula, step, rest }));
  const answers = chosen.map(({ value, why }): Answer => ({ value, why }));
  return { tables: draft.tables, definitions: draft.definitions, blanks, answers, possible: candidates.length, extent: draft.extent };
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
