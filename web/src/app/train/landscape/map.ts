/** A landscape as a figure for Plotly: grey contours of log₁₀ of the loss, and each run's way upon them in its own colour, dash and marker. */
import type { Landscape, LandscapePath } from "../../../api/landscapes";
import type { Figure } from "../../../api/types";

/** How a run is drawn: a letter, a colour that is written out, and one of Plotly's dashes and markers. */
export interface Drawn {
  letter: string;
  colour: string;
  dash: string;
  symbol: string;
}

const DASHES = ["solid", "dash", "dot", "dashdot"];
const PLACES = ["top center", "bottom center", "middle right", "middle left"]; // of what is written at a way's ends: ways that begin together have names apart
const SYMBOLS = ["circle", "square", "triangle-up", "diamond"];

export const drawnAs = (index: number, letter: string, colour: string): Drawn => ({ letter, colour, dash: DASHES[index % DASHES.length]!, symbol: SYMBOLS[index % SYMBOLS.length]! });

export interface Words {
  loss: string;
  step: string;
  /** Names of the axes. */
  x: string;
  y: string;
}

/** What Plotly leaves blank. */
const gap = (value: number): number | null => (Number.isFinite(value) ? value : null);

export const logarithms = (loss: readonly (readonly number[])[]): (number | null)[][] => loss.map((row) => row.map((value) => gap(Math.log10(value))));

/** `landscape` is done. style: the page's colours. */
export function mapFigure(landscape: Landscape, runs: readonly Drawn[], words: Words, style: Pick<CSSStyleDeclaration, "getPropertyValue">, narrow = false): Pick<Figure, "data" | "layout"> {
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const [low, high, ink] = [token("--surface"), token("--line-3"), token("--ink-2")];
  const paths = landscape.paths!.flatMap((path, i) => {
    const run = runs[i]!;
    const [x, y] = [path.x.map(gap), path.y.map(gap)];
    const last = path.steps.length - 1;
    const hovertext = path.steps.map((step, k) => `${run.letter}: ${words.step} ${step}<br>${words.loss} ${path.loss[k]!.toPrecision(4)}`);
    const text = path.steps.map((step, k) => (k === 0 || k === last ? `${run.letter}: ${words.step} ${step}` : ""));
    return [
      { type: "scatter", x, y, mode: "lines", line: { color: low, width: 6 }, hoverinfo: "skip", showlegend: false },
      {
        type: "scatter", x, y, mode: "lines+markers+text", name: run.letter, text, textposition: PLACES[i % PLACES.length], textfont: { size: 11, color: token("--ink-1") }, cliponaxis: false, hovertext, hovertemplate: "%{hovertext}<extra></extra>", line: { color: run.colour, width: 2.5, dash: run.dash },
        marker: { color: run.colour, size: path.steps.map((_, k) => (k === last ? 13 : 7)), symbol: run.symbol, line: { color: low, width: 1.5 } },
      },
    ];
  });
  const contour = {
    type: "contour", x: landscape.x, y: landscape.y, z: logarithms(landscape.loss!), customdata: landscape.loss, ncontours: 20, contours: { showlines: true }, line: { width: 0.6, color: ink },
    colorscale: [[0, low], [1, high]], hovertemplate: `%{x:.3g}, %{y:.3g}<br>${words.loss} %{customdata:.4g}<extra></extra>`,
    colorbar: { title: { text: `log₁₀ ${words.loss}`, side: "right" }, thickness: 12, outlinewidth: 0, tickfont: { size: 11, color: ink }, ...(narrow && { orientation: "h", y: -0.32, thickness: 10 }) },
  };
  const axis = (title: string): object => ({ title: { text: title }, zeroline: false, showgrid: false, linecolor: high, ticks: "outside", tickcolor: high, tickfont: { size: 11, color: ink }, automargin: true });
  return {
    data: [contour, ...paths] as Figure["data"],
    layout: {
      xaxis: axis(words.x), yaxis: axis(words.y), hovermode: "closest", showlegend: false, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 56, r: 12, t: 12, b: narrow ? 96 : 48 }, font: { color: ink },
    } as Figure["layout"],
  };
}

/** The share of a path's movement that lies in the plane, as the sentence about it needs it. */
export const inPlane = (path: Pick<LandscapePath, "in_plane">): { percent: string; faithful: boolean } => ({
  percent: !Number.isFinite(path.in_plane) ? "–" : path.in_plane > 0 && path.in_plane < 0.001 ? "< 0.1" : (100 * path.in_plane).toFixed(path.in_plane < 0.1 ? 1 : 0),
  faithful: path.in_plane >= 0.9,
});

/** How far from the middle a map has to go to hold the ways, with room about them; null where they fill a fair part of this one already. */
export function closer(landscape: Landscape): number | null {
  const middle = [landscape.paths![0]!.x.at(-1)!, landscape.paths![0]!.y.at(-1)!];
  const away = landscape.paths!.flatMap((path) => [...path.x.map((x) => Math.abs(x - middle[0]!)), ...path.y.map((y) => Math.abs(y - middle[1]!))]).filter(Number.isFinite);
  const far = Math.max(0, ...away);
  const now = Math.max(...[landscape.x!, landscape.y!].map((axis) => (axis.at(-1)! - axis[0]!) / 2));
  return far > 0 && far < 0.2 * now ? Number((1.3 * far).toPrecision(2)) : null;
}
