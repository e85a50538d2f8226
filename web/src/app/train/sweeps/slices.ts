/** The score of every trial against each of the settings that vary, as a figure for Plotly: one small drawing a setting, all with the same scores. */
import { logAxis, type Axis } from "../chart/scale";
import type { Sweep, Trial } from "../../../api/sweeps";
import type { Figure } from "../../../api/types";

export interface Words {
  score: string;
  /** A setting's name, and a value of it. */
  name: (setting: string) => string;
  text: (setting: string, value: Trial["params"][string]) => string;
  says: (trial: Trial) => string;
  /** Plotly's format of a score. */
  format: string;
}

export const ROW = 230; // px that a row of drawings takes

/** How many drawings stand side by side in so many pixels, and in how many rows. */
export function layOut(count: number, width: number): { columns: number; rows: number } {
  const columns = Math.max(1, Math.min(count, Math.floor(width / 220)));
  return { columns, rows: Math.ceil(count / columns) };
}

/** trials: those that are shown; without a score they have no point. style: the page's colours. */
export function slicesFigure(sweep: Pick<Sweep, "space" | "best">, trials: readonly Trial[], words: Words, style: Pick<CSSStyleDeclaration, "getPropertyValue">, width: number): Pick<Figure, "data" | "layout"> {
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const [ink, line, colour, ground] = [token("--ink-2"), token("--line-3"), token("--series-1"), token("--surface")];
  const settings = Object.entries(sweep.space);
  const { columns, rows } = layOut(settings.length, width);
  const known = trials.filter((trial) => trial.value !== null && Number.isFinite(trial.value));
  const [across, down] = [columns > 1 ? 0.06 / columns : 0, rows > 1 ? 0.3 / rows : 0];
  const axes: Record<string, object> = {};
  const data = settings.map(([name, one], k) => {
    const [column, row] = [k % columns, Math.floor(k / columns)];
    const end = k === 0 ? "" : String(k + 1);
    const listed = "choices" in one;
    const shared = { zeroline: false, gridcolor: token("--line"), linecolor: line, ticks: "outside", tickcolor: line, tickfont: { size: 11, color: ink } };
    axes[`xaxis${end}`] = {
      ...shared, anchor: `y${end}`, title: { text: words.name(name), font: { size: 12, color: ink }, standoff: 6 }, showgrid: false, nticks: 5,
      domain: [column / columns + (column > 0 ? across : 0), (column + 1) / columns],
      type: listed ? "category" : one.log ? "log" : "linear", ...(!listed && one.log && written(logAxis(one.low, one.high))), ...(listed && { categoryorder: "array", categoryarray: inOrder(one.choices).map((value) => words.text(name, value)) }),
    };
    axes[`yaxis${end}`] = {
      ...shared, anchor: `x${end}`, showticklabels: column === 0, tickformat: words.format, automargin: column === 0, domain: [1 - (row + 1) / rows + down, 1 - row / rows],
      ...(k > 0 && { matches: "y" }), ...(column === 0 && { title: { text: words.score, font: { size: 12, color: ink }, standoff: 6 } }),
    };
    return {
      type: "scatter", mode: "markers", showlegend: false, xaxis: `x${end}`, yaxis: `y${end}`, x: known.map((trial) => (listed ? words.text(name, trial.params[name] ?? null) : trial.params[name])), y: known.map((trial) => trial.value),
      text: known.map(words.says), hovertemplate: "%{text}<extra></extra>",
      marker: { size: known.map((trial) => (trial.number === sweep.best?.number ? 13 : 7)), color: known.map((trial) => (trial.state === "complete" ? colour : ground)), line: { width: 1.5, color: colour } },
    };
  });
  return { data: data as Figure["data"], layout: { ...axes, hovermode: "closest", paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 48, r: 8, t: 8, b: rows > 1 ? 12 : 44 }, font: { color: ink } } as Figure["layout"] };
}

/** The ticks of an axis, for Plotly, which shortens its own. */
const written = ({ ticks }: Axis): object => ({ tickvals: ticks.map(({ value }) => value), ticktext: ticks.map(({ label }) => label) });

/** Numbers by size, anything else as it was given. */
const inOrder = <V>(values: readonly V[]): V[] => (values.every((value) => typeof value === "number") ? [...values].sort((a, b) => Number(a) - Number(b)) : [...values]);
