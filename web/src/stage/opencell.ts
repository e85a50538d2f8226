/** What stands in an opened cell: columns of numbers whose rows line up, read from the nodes of the step. Pure; one layout for all steps. */
import { mixture, product, USUAL, type Notation } from "../math/notation";
import type { Column, NetworkGrid } from "../model/network";
import type { Trace } from "../model/trace";

/** A vector of the step, drawn as a column. */
export interface OpenVector {
  key: string;
  /** Heading in TeX; `{t}` and `{p}` stand for this step and the one before. */
  tex: string;
  node: number;
  x: number;
  width: number;
  /** A parameter (a bias) has no rows of examples. */
  parameter: boolean;
  /** Where its elements begin in the row: a part of a longer vector. */
  offset: number;
}

export interface OpenSign {
  x: number;
  text: string;
}

/** A group of columns under its equation. */
export interface OpenBlock {
  x: number;
  width: number;
  tex: string[];
}

export interface OpenDiagram {
  vectors: OpenVector[];
  signs: OpenSign[];
  blocks: OpenBlock[];
  /** An equation that several groups share, below their own. */
  shared: { x: number; width: number; tex: string } | null;
  /** W_hh with the state before it over its columns (RNN). */
  matrix: { node: number; before: number; x: number; cell: number } | null;
}

export interface OpenLayout {
  readonly width: number;
  readonly pitch: number;
  readonly rows: number;
  readonly row: number;
  readonly tile: number;
  readonly lane: number;
  readonly font: number;
  readonly matrixCell: number;
  /** All from the top of the scrolled content. */
  readonly cardTop: number;
  readonly bandTop: number;
  readonly labelTop: number;
  readonly rowsTop: number;
  readonly cardHeight: number;
  readonly inputTop: number;
  readonly height: number;
}

export const OPEN_ROWS = 8; // more rows than these are named, not drawn
const PAD = 18;
const SIGN = 15;
const APART = 22;
const EDGE = 80; // an opened card keeps this far from the edge of the stage, where its neighbours fade

const VECTOR: Record<NetworkGrid["cell"], number> = { rnn: 54, gru: 49, lstm: 48 };

/** low: a card that is not as high, for a stage that is not. */
export function openLayout(cell: NetworkGrid["cell"], hidden: number, low = false): OpenLayout {
  const rows = Math.min(hidden, OPEN_ROWS);
  const roomy = hidden <= 4;
  const [tile, lane] = roomy ? (low ? [32, 11] : [36, 13]) : low ? [18, 7] : [19, 8];
  const row = tile + lane + (low ? 3 : roomy ? 7 : 4);
  const matrixCell = roomy ? 40 : 24;
  const cardTop = low ? 10 : 14;
  const bandTop = cardTop + (low ? 8 : 14);
  const labelTop = bandTop + { rnn: [92, 80], gru: [52, 46], lstm: [62, 50] }[cell][low ? 1 : 0]!;
  const rowsTop = labelTop + 26;
  const cardHeight = rowsTop - cardTop + rows * row + (hidden > rows ? 24 : 0) + 40;
  return {
    rows, row, matrixCell, cardTop, bandTop, labelTop, rowsTop, cardHeight,
    tile, lane, font: roomy ? 13 : 11,
    width: openWidth(cell, matrixCell, rows, hidden),
    pitch: openWidth(cell, matrixCell, rows, hidden) + 36,
    inputTop: cardTop + cardHeight + 34,
    height: cardTop + cardHeight + 34 + 72,
  };
}

/** Each cell as groups of columns; the text between two columns is the sign that joins them. */
type Piece = { key: string; tex: string } | string;

function groups(cell: NetworkGrid["cell"], notation: Notation): { tex: string[]; pieces: Piece[] }[] {
  const gate = (name: string, tex: string[], pieces: Piece[]) => ({ tex, pieces: [...pieces, "›", { key: name, tex: `${name}_{{t}}` }] });
  const x = (name: string, vector = "x"): string => product(notation, `W_{${name}}`, vector);
  const small = notation.product === "column" ? "\\small " : "\\footnotesize "; // over columns of a GRU's width
  const parts = (name: string, state: string): Piece[] => [{ key: `${name}:x`, tex: `${small}${x(`i${name}`)}{+}b_{i${name}}` }, "+", { key: `${name}:h`, tex: small + state }];
  /** In two lines, as PyTorch has it: each side has a bias of its own. */
  const sum = (name: string, before: string): string[] => {
    const [input, state] = [product(notation, `W_{i${name}}`, "x_{{t}}", " "), `${product(notation, `W_{h${name}}`, "h_{{p}}", " ")} + b_{h${name}}`];
    return [`${before}(${input} + b_{i${name}}`, name === "n" ? `{} + r_{{t}} \\odot (${state}))` : `{} + ${state})`];
  };
  switch (cell) {
    case "rnn":
      return [{
        tex: [
          `a_{{t}} = ${product(notation, "W_{\\mathrm{hh}}", "h_{{p}}", " ")} + ${product(notation, "W_{\\mathrm{ih}}", "x_{{t}}", " ")} + b_{\\mathrm{ih}} + b_{\\mathrm{hh}}`,
          "h_{{t}} = \\tanh(a_{{t}})",
        ],
        pieces: [
          { key: "Wh", tex: x("\\mathrm{hh}", "h_{{p}}") }, "+", { key: "Wx", tex: x("\\mathrm{ih}", "x_{{t}}") }, "+",
          { key: "b_ih", tex: "b_{\\mathrm{ih}}" }, "+", { key: "b_hh", tex: "b_{\\mathrm{hh}}" }, "=", { key: "a", tex: "a_{{t}}" }, "›", { key: "h", tex: "h_{{t}}" },
        ],
      }];
    case "gru":
      return [
        gate("r", sum("r", "r_{{t}} = \\sigma"), parts("r", `${x("hr", "h")}{+}b_{hr}`)),
        gate("z", sum("z", `z_{{t}} = ${notation.z === "keep" ? "" : "1 - "}\\sigma`), parts("z", `${x("hz", "h")}{+}b_{hz}`)),
        gate("n", sum("n", "n_{{t}} = \\tanh"), parts("n", `r{\\odot}(${x("hn", "h")}{+}b_{hn})`)),
        { tex: ["", `h_{{t}} = ${mixture(notation, "z_{{t}}", "n_{{t}}", "h_{{p}}")}`], pieces: [{ key: "h_before", tex: "h_{{p}}" }, "›", { key: "h", tex: "h_{{t}}" }] },
      ];
    case "lstm":
      return [
        ...["i", "f", "g", "o"].map((name) => gate(name, [`${name}_{{t}} = ${name === "g" ? "\\tanh" : "\\sigma"}(a_{${name}})`], [{ key: `${name}:a`, tex: `a_{${name}}` }])),
        {
          tex: ["c_{{t}} = f_{{t}} \\odot c_{{p}} + i_{{t}} \\odot g_{{t}}", "h_{{t}} = o_{{t}} \\odot \\tanh(c_{{t}})"],
          pieces: [{ key: "c_before", tex: "c_{{p}}" }, "›", { key: "c", tex: "c_{{t}}" }, "›", { key: "h", tex: "h_{{t}}" }],
        },
      ];
  }
}

/** What each gate of an LSTM is made of; `k` is the gate. */
function gateSum(notation: Notation): string {
  return `a_k = ${product(notation, "W_{ik}", "x_{{t}}", " ")} + b_{ik} + ${product(notation, "W_{hk}", "h_{{p}}", " ")} + b_{hk}\\quad (k = i, f, g, o)`;
}

/** The sign after a matrix that is shown in part: more columns follow. */
const cutSign = (hidden: number, rows: number): number => SIGN + (hidden > rows ? 20 : 0);

function matrixWidth(cell: NetworkGrid["cell"], matrixCell: number, rows: number, hidden: number): number {
  return cell === "rnn" ? matrixCell * rows + cutSign(hidden, rows) : 0;
}

function openWidth(cell: NetworkGrid["cell"], matrixCell: number, rows: number, hidden: number): number {
  const all = groups(cell, USUAL); // the same columns in any
  const inside = all.reduce((sum, group) => sum + group.pieces.reduce((w, piece) => w + (typeof piece === "string" ? SIGN : VECTOR[cell]), 0), 0);
  return 2 * PAD + matrixWidth(cell, matrixCell, rows, hidden) + inside + (all.length - 1) * APART;
}

/** The diagram of one step. */
export function openCell(trace: Trace, grid: NetworkGrid, column: Column, layout: OpenLayout, notation: Notation = USUAL, example = 0): OpenDiagram {
  const nodes = nodesOf(trace, grid, column, example);
  const diagram: OpenDiagram = { vectors: [], signs: [], blocks: [], shared: null, matrix: null };
  const before = grid.stateBefore(column.t, example).h;
  let x = PAD;
  const weight = grid.parameter("weight_hh");
  if (grid.cell === "rnn" && weight) {
    diagram.matrix = { node: weight.node, before, x, cell: layout.matrixCell };
    x += layout.matrixCell * layout.rows;
    const sign = cutSign(grid.hidden, layout.rows);
    diagram.signs.push({ x: x + sign / 2 - 1, text: sign > SIGN ? "\u2026 =" : "=" });
    x += sign;
  }
  groups(grid.cell, notation).forEach((group, k) => {
    if (k > 0) x += APART;
    const from = x;
    for (const piece of group.pieces) {
      if (typeof piece === "string") {
        diagram.signs.push({ x: x + SIGN / 2, text: piece });
        x += SIGN;
        continue;
      }
      const node = nodes.get(piece.key);
      if (node) diagram.vectors.push({ key: piece.key, tex: atStep(piece.tex, column.t, grid), x, width: VECTOR[grid.cell], ...node });
      x += VECTOR[grid.cell];
    }
    diagram.blocks.push({ x: from, width: x - from, tex: group.tex.map((tex) => atStep(tex, column.t, grid)) });
  });
  if (grid.cell === "lstm") {
    const [first, , , last] = diagram.blocks as [OpenBlock, OpenBlock, OpenBlock, OpenBlock];
    diagram.shared = { x: first.x, width: last.x + last.width - first.x, tex: atStep(gateSum(notation), column.t, grid) };
  }
  return diagram;
}

/** A formula of step t: the state before has the number of its step, 0 where the sequence begins, be it from its end. */
function atStep(tex: string, t: number, grid: NetworkGrid): string {
  const before = grid.column(grid.previous(t)) ? grid.previous(t) : 0;
  return tex.replaceAll("{t}", String(t)).replaceAll("{p}", String(before));
}

interface Found {
  node: number;
  parameter: boolean;
  offset: number;
}

/** The nodes behind the columns. Labelled ones are known by name; the sums before a gate are found by following inputs. */
export function nodesOf(trace: Trace, grid: NetworkGrid, column: Column, example: number): Map<string, Found> {
  const found = new Map<string, Found>();
  const put = (key: string, node: number | null | undefined, parameter = false): void => {
    if (node !== null && node !== undefined && node >= 0) found.set(key, { node, parameter, offset: 0 });
  };
  const input = (node: number | undefined, port: number): number | undefined => {
    const read = node === undefined ? undefined : trace.nodes[trace.typedOver(node) ?? node]?.inputs[port];
    return read === undefined ? undefined : trace.through(read);
  };
  put("h", column.h);
  put("c", column.c);
  put("a", column.a);
  const before = grid.stateBefore(column.t, example);
  put("h_before", before.h);
  put("c_before", before.c);
  put("b_ih", grid.parameter("bias_ih")?.node, true);
  put("b_hh", grid.parameter("bias_hh")?.node, true);
  for (const node of column.nodes) {
    if (trace.nodes[node]!.op !== "linear" || trace.nodes[node]!.role === "probe") continue;
    const weight = trace.through(trace.nodes[node]!.inputs[1]!);
    if (weight === grid.parameter("weight_ih")?.node) put("Wx", node);
    if (weight === grid.parameter("weight_hh")?.node) put("Wh", node);
  }
  for (const [name, gate] of column.gates) {
    put(name, gate);
    const sum = input(gate, 0);
    put(`${name}:a`, sum);
    put(`${name}:x`, input(sum, 0));
    put(`${name}:h`, input(sum, 1));
  }
  return found;
}

/** Centre of the opened card of step t, when `room` pixels stand before the first card. */
export function openX(layout: Pick<OpenLayout, "width" | "pitch">, room: number, t: number): number {
  return room + layout.width / 2 + (t - 1) * layout.pitch;
}

/** Room at either end, so that the first and the last card can come to any place on the stage. */
export function openRoom(layout: Pick<OpenLayout, "width">, stage: number): number {
  return Math.max(24, stage - layout.width - 24);
}

/** How many pixels of the card of step t hang out of a stage that is scrolled to `scroll`, on either side. */
export function outside(layout: Pick<OpenLayout, "width" | "pitch">, stage: number, t: number, scroll: number): { left: number; right: number } {
  const left = openX(layout, openRoom(layout, stage), t) - layout.width / 2 - scroll;
  return { left: Math.max(0, -left), right: Math.max(0, left + layout.width - stage) };
}

/** Where on the stage the centre of a card comes to stand that was opened at `pointer`: under it, and wholly in view where it fits. */
export function openPlace(layout: Pick<OpenLayout, "width">, stage: number, pointer: number): number {
  if (layout.width + 32 > stage) return layout.width / 2 + 16; // too wide: from its beginning
  const half = layout.width / 2 + Math.min(EDGE, (stage - layout.width) / 2);
  return Math.min(stage - half, Math.max(half, pointer));
}
