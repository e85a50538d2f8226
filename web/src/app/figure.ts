/** Dresses a figure of the server in the page's colours and type. */
import type { Figure } from "../api/types";

type Layer = Record<string, unknown>;
type Style = Pick<CSSStyleDeclaration, "getPropertyValue">;
type Drawn = Pick<Figure, "data" | "layout">;

function layer(value: unknown): Layer {
  return typeof value === "object" && value !== null ? (value as Layer) : {};
}

/** `figure` with fonts, lines and grounds taken from the tokens in `style`. The figure itself is not changed. */
export function inPageColours(figure: Drawn, style: Style, height: number): Drawn {
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const axis = (given: unknown): Layer => ({
    ...layer(given),
    gridcolor: token("--line"), zerolinecolor: token("--line-3"), linecolor: token("--line-3"), tickcolor: token("--line-2"),
    tickfont: { size: 11, color: token("--ink-3") }, automargin: true,
  });
  const axes = Object.fromEntries(Object.keys(figure.layout).concat("xaxis", "yaxis").filter((name) => /^[xy]axis\d*$/.test(name)).map((name) => [name, axis(figure.layout[name])]));
  const inks = [token("--line-3"), token("--ink-1"), token("--ink-3")];
  const data = figure.data.map((trace, i) => {
    const line = layer(trace.line);
    const marker = layer(trace.marker);
    const ink = figure.data.length === 1 ? token("--ink-1") : inks[i % inks.length];
    return { ...trace, line: { ...line, color: ink }, marker: { ...marker, color: ink } };
  });
  const layout = {
    ...figure.layout, ...axes, height, autosize: true, title: undefined, template: undefined,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: token("--sans"), size: 12, color: token("--ink-2") },
    margin: { l: 48, r: 16, t: 24, b: 40 },
    legend: { orientation: "h", x: 1, xanchor: "right", y: 1.16, font: { size: 12, color: token("--ink-2") } },
  };
  return { data, layout };
}

/** `figure` in the page's type alone, as high as asked: of several lines, or of areas, each keeps its colour. */
export function inPageType(figure: Drawn, style: Style, height: number): Drawn {
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const layout = { ...figure.layout, height, autosize: true, font: { family: token("--sans"), size: 12, color: token("--ink-2") } };
  return { data: figure.data, layout };
}
