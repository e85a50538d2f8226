import { describe, expect, it } from "vitest";
import { explain, type Explanation, type Target } from "../model/explain";
import { film } from "../model/fixtures";
import { NetworkGrid } from "../model/network";
import { openCell, openLayout } from "../stage/opencell";
import { railOf } from "../stage/rail";
import { backProduct, mixture, outerProduct, product, USUAL, type Notation } from "./notation";
import { renderTex, segments } from "./render";

const ROW: Notation = { product: "row", z: "keep" };
const RENEW: Notation = { product: "column", z: "renew" };

describe("products", () => {
  it("are written with columns or with rows", () => {
    expect(product(USUAL, "W", "h")).toBe("Wh");
    expect(product(ROW, "W_{\\mathrm{hh}}", "h_{2}")).toBe("h_{2}\\,W_{\\mathrm{hh}}^{\\top}");
    expect([backProduct(USUAL, "W", "\\delta"), backProduct(ROW, "W", "\\delta")]).toEqual(["W^{\\top} \\delta", "\\delta\\,W"]);
    expect([outerProduct(USUAL, "\\delta_{3}", "h_{2}"), outerProduct(ROW, "\\delta_{3}", "h_{2}")]).toEqual(["\\delta_{3}\\,h_{2}^{\\top}", "\\delta_{3}^{\\top}\\,h_{2}"]);
    expect(outerProduct(ROW, "\\frac{a}{b}", "h")).toBe("\\left(\\frac{a}{b}\\right)^{\\top}\\,h");
  });

  it("a GRU mixes by z either way", () => {
    expect(mixture(USUAL, "z", "n", "h")).toBe("(1 - z) \\odot n + z \\odot h");
    expect(mixture(RENEW, "z", "n", "h")).toBe("z \\odot n + (1 - z) \\odot h");
  });
});

describe.each(["rnn", "gru", "lstm"] as const)("the formulas of %s with rows", (name) => {
  const shown = film(name);
  const all = (notation: Notation): Explanation[] =>
    shown.trace.nodes.flatMap((node) => {
      const index = node.shape.map(() => 0);
      return (["value", "gradient"] as const).map((kind) => explain(shown, { kind, node: node.id, index }, shown.length, 0, notation));
    });

  it("have the same numbers, and can be read", () => {
    const [usual, row] = [all(USUAL), all(ROW)];
    expect(row.map((e) => e.value)).toEqual(usual.map((e) => e.value));
    expect(row.map((e) => e.rows.map((r) => r.value))).toEqual(usual.map((e) => e.rows.map((r) => r.value)));
    expect(row.filter((e, i) => e.symbols !== usual[i]!.symbols).length).toBeGreaterThan(5);
    for (const e of row) for (const tex of [e.title, e.symbols, ...segments(String(e.numbers)).filter((s) => s.kind === "tex").map((s) => s.text)]) expect(renderTex(tex, false)).not.toMatch(/merror|tex-unread/);
  });

  it("never have a weight before a column", () => {
    for (const { symbols } of all(ROW)) expect(symbols).not.toMatch(/W_\{\\mathrm\{(ih|hh|i[a-z]|h[a-z])\}\}(\\,)? ?[xh]_/);
  });

  it("are those of the opened cell and of its way back", () => {
    const grid = NetworkGrid.of(shown.trace)!;
    const column = grid.column(2)!;
    const open = openCell(shown.trace, grid, column, openLayout(grid.cell, grid.hidden), ROW);
    const written = [...open.blocks.flatMap((block) => block.tex), ...open.vectors.map((vector) => vector.tex)].join(" ");
    if (name !== "lstm") expect(written).toContain("^{\\top}");
    const rail = railOf(grid, column, shown.trace, 4, ROW);
    expect(rail.links.map((link) => link.tex)).toContain("\\cdot\\,W_{\\mathrm{hh}}");
    expect(railOf(grid, column, shown.trace, 4).links.map((link) => link.tex)).toContain("W_{\\mathrm{hh}}^{\\top}\\,\\cdot");
  });
});

describe("a GRU whose z stands before the candidate", () => {
  const shown = film("gru");
  const grid = NetworkGrid.of(shown.trace)!;
  const column = grid.column(3)!;
  const z = column.gates.get("z")!;
  const both = (target: Target): [Explanation, Explanation] => [explain(shown, target, shown.length, 0), explain(shown, target, shown.length, 0, RENEW)];
  const close = (a: number, b: number): void => expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-12);

  it.each([0, 1])("shows 1 - z, of the same sum (element %i)", (i) => {
    const [usual, turned] = both({ kind: "value", node: z, index: [0, i] });
    close(turned.value!, 1 - usual.value!);
    expect(turned.sum).toBe(usual.sum);
    close(turned.value!, 1 - 1 / (1 + Math.exp(-turned.sum!)));
    expect(turned.symbols).toMatch(/^z_\{t\} = 1 - \\sigma/);
    close(turned.facts[0]!.value, -usual.facts[0]!.value);
    expect(turned.title).toBe(usual.title);
  });

  it.each([0, 1])("turns the sign of its gradient, whose rows still add up (element %i)", (i) => {
    const [usual, turned] = both({ kind: "gradient", node: z, index: [0, i] });
    expect(turned.value).toBe(-usual.value!);
    expect(turned.rows).toHaveLength(2);
    close(turned.rows.reduce((sum, row) => sum + row.value, 0), turned.value!);
    expect(turned.sentence.key).toBe("why.say.gate_renews_gradient");
  });

  it("leaves delta, the gradient of the sum, as it is", () => {
    const sum = shown.trace.nodes[z]!.inputs[0]!;
    const [usual, turned] = both({ kind: "gradient", node: sum, index: [0, 0] });
    expect(turned.value).toBe(usual.value);
    close(turned.sum!, -usual.sum!);
    close(turned.sum! * turned.facts[0]!.value, turned.value!);
  });

  it("writes the mixture and the ways back so", () => {
    const [usual, turned] = both({ kind: "value", node: column.h, index: [0, 0] });
    expect(turned.symbols).toBe("h_{t} = z_{t} \\odot n_{t} + (1 - z_{t}) \\odot h_{t-1}");
    expect(turned.rows.map((row) => row.value)).toEqual(usual.rows.map((row) => row.value));
    expect(turned.rows.map((row) => row.label)).toEqual(["$z_{3}\\,n_{3}$", "$(1-z_{3})\\,h_{2}$"]);
    expect(both({ kind: "gradient", node: column.gates.get("n")!, index: [0, 0] }).map((e) => e.symbols.includes("1 - z_{3}"))).toEqual([true, false]);
    expect(both({ kind: "gradient", node: grid.column(2)!.h, index: [0, 0] }).map((e) => e.symbols.includes("(1 - z_{3})"))).toEqual([false, true]);
    expect(railOf(grid, column, shown.trace, 4, RENEW).links.map((link) => link.tex).join()).toContain("(1 - z_{3})");
  });

  it("changes no number but those of z", () => {
    for (const node of shown.trace.nodes) {
      for (const kind of ["value", "gradient"] as const) {
        const [usual, turned] = both({ kind, node: node.id, index: node.shape.map(() => 0) });
        if (node.label !== "z") expect([node.path, turned.value]).toEqual([node.path, usual.value]);
      }
    }
  });
});
