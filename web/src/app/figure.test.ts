import { describe, expect, it } from "vitest";
import { inPageColours, inPageType } from "./figure";

const style = { getPropertyValue: (name: string) => ` ink(${name})` };

describe("a figure of the server in the page's colours", () => {
  const figure = {
    data: [{ name: "each step", line: { color: "blue", width: 1 } }, { name: "smoothed", line: { width: 2.5 } }],
    layout: { xaxis: { title: { text: "step" } }, template: { data: {} } },
  };

  it("keeps data, widths and words, and takes colours and height from the page", () => {
    const { data, layout } = inPageColours(figure, style, 200);
    expect(data[0]).toMatchObject({ name: "each step", line: { color: "ink(--line-3)", width: 1 } });
    expect(data[1]).toMatchObject({ name: "smoothed", line: { color: "ink(--ink-1)", width: 2.5 } });
    expect(layout).toMatchObject({ height: 200, xaxis: { title: { text: "step" }, gridcolor: "ink(--line)" }, yaxis: { gridcolor: "ink(--line)" } });
    expect(layout.template).toBeUndefined();
  });

  it("keeps its own colours where they tell many lines apart", () => {
    const { data, layout } = inPageType(figure, style, 300);
    expect(data).toEqual(figure.data);
    expect(layout).toMatchObject({ height: 300, xaxis: { title: { text: "step" } }, font: { color: "ink(--ink-2)" } });
  });

  it("leaves the figure it was given alone", () => {
    const before = structuredClone(figure);
    inPageColours(figure, style, 200);
    expect(figure).toEqual(before);
  });
});
