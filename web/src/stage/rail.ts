/** The way back through a step, above its opened card: gradients as boxes, and what each is multiplied by on its way to the next. Pure. */
import { backProduct, backThrough, keeps, USUAL, type Notation } from "../math/notation";
import type { Contribution, Film } from "../model/film";
import { gradientSlice, norm, type Column, type NetworkGrid } from "../model/network";
import type { Trace } from "../model/trace";
import { nodesOf } from "./opencell";

/** The gradient of a node; null where there is none, before the first step. Columns count from the later side, rows from the top. */
export interface RailBox {
  tex: string;
  node: number | null;
  column: number;
  row: number;
}

/** What comes from one box to another: the contributions to that one's gradient of step `time`, by the operations that `by` lets through. */
export interface RailLink {
  tex: string;
  from: number;
  to: number;
  time: number;
  by: (node: number) => boolean;
  /** No matrix is multiplied with on the way: a state's own. */
  past?: boolean;
}

export interface Rail {
  boxes: RailBox[];
  links: RailLink[];
  /** In full what a box is, where more comes into it than the links say. */
  equations: string[];
}

const all = (): boolean => true;

/** What has come over a link at `moment`: none where its first box has nothing yet, or its last none of it. */
export function cameOver({ boxes }: Rail, { from, to, time, by }: RailLink, film: Film, moment: number): Contribution[] {
  const [before, into] = [boxes[from]!.node, boxes[to]!.node];
  if (into === null || before === null || film.gradient(before, moment) === null) return [];
  return film.contributions(into).filter((part) => part.kind === "vjp" && part.time === time && part.arrived < moment && by(part.node));
}

/** How much longer than the gradient of its first box it is what came over a link, for an example (or the sum over all); null where that is no number. */
export function linkFactor(rail: Rail, link: RailLink, came: readonly Contribution[], film: Film, moment: number, example: number): number | null {
  const before = norm(gradientSlice(film.gradient(rail.boxes[link.from]!.node!, moment)!, example));
  const rows = came.map((one) => gradientSlice(one.tensor(), example));
  const factor = norm(Array.from(rows[0]!, (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0))) / before;
  return Number.isFinite(factor) ? factor : null;
}

/** The way back through step `column.t` of an example with `steps` of them. */
export function railOf(grid: NetworkGrid, column: Column, trace: Trace, steps: number, notation: Notation = USUAL): Rail {
  const t = column.t;
  const first = grid.begins(t, steps);
  const p = first ? 0 : grid.previous(t);
  const before = grid.stateBefore(t);
  const nodes = nodesOf(trace, grid, column, 0);
  const d = (state: string, step: number): string => `\\partial L/\\partial ${state}_{${step}}`;
  const delta = `\\delta_{${t}}`;
  const own = first ? "" : !grid.top ? `+ ${backProduct(notation, "{W_{\\mathrm{ih}}^{\\uparrow}}", `\\delta_{${p}}^{\\uparrow}`)}` : grid.readout === "every" ? `+ ${backProduct(notation, "W_{\\mathrm{ho}}", `\\partial L/\\partial \\hat{y}_{${p}}`)}` : "";
  const past = `${d("h", p)} = ${backProduct(notation, "W_{\\mathrm{hh}}", delta)}`;
  const after = { tex: d("h", t), node: column.h, column: 0 };
  const earlier = { tex: d("h", p), node: first ? null : before.h };
  const product = (node: number): boolean => trace.nodes[node]!.op === "linear";
  const back = { tex: backThrough(notation, "W_{\\mathrm{hh}}"), time: t, by: product };
  switch (grid.cell) {
    case "rnn":
      return {
        boxes: [{ ...after, row: 0 }, { tex: delta, node: column.a, column: 1, row: 0 }, { ...earlier, column: 2, row: 0 }],
        links: [{ tex: `\\odot\\,(1 - h_{${t}}^2)`, from: 0, to: 1, time: t, by: all }, { ...back, from: 1, to: 2 }],
        equations: own ? [past + own] : [],
      };
    case "gru": {
      const state = nodes.get("n:h")?.node;
      const sum = state === undefined ? null : (trace.nodes[trace.nodes[state]!.inputs[1]!]?.inputs[0] ?? null);
      const kept = keeps(notation, `z_{${t}}`);
      return {
        boxes: [{ ...after, row: 0 }, { tex: delta, node: sum, column: 1, row: 1 }, { ...earlier, column: 2, row: 0 }],
        links: [
          { tex: `${kept}\\odot`, from: 0, to: 2, time: t, by: (node) => !product(node), past: true },
          { tex: "r,\\ z,\\ n", from: 0, to: 1, time: t, by: all },
          { ...back, from: 1, to: 2 },
        ],
        equations: own ? [`${past} + ${kept} \\odot ${d("h", t)}${own}`] : [],
      };
    }
    case "lstm": {
      const next = grid.shown.reverse ? t - 1 : t + 1;
      const later = next >= 1 && next <= steps ? grid.column(next) : null;
      const output = nodes.get("o:a")?.node;
      const boxes = [
        { ...after, row: 1 }, { tex: d("c", t), node: column.c, column: 1, row: 0 }, { tex: delta, node: column.a, column: 2, row: 1 }, { ...earlier, column: 3, row: 1 },
        { tex: d("c", p), node: first ? null : before.c, column: 3, row: 0 },
      ];
      const links = [
        { tex: `o_{${t}} \\odot (1 - \\tanh^2 c_{${t}})`, from: 0, to: 1, time: t, by: all },
        { tex: "o", from: 0, to: 2, time: t, by: (node: number) => node === output },
        { tex: "i,\\ f,\\ g", from: 1, to: 2, time: t, by: (node: number) => node !== output },
        { tex: `f_{${t}}\\odot`, from: 1, to: 4, time: t, by: all, past: true },
        { ...back, from: 2, to: 3 },
      ];
      if (later) {
        boxes.push({ tex: d("c", next), node: later.c, column: 0, row: 0 });
        links.push({ tex: `f_{${next}}\\odot`, from: 5, to: 1, time: next, by: all });
      }
      return { boxes, links, equations: own ? [past + own] : [] };
    }
  }
}
