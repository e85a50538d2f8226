/** How lines of several runs are told apart: each has a colour (chart/series.css), a dash and a marker, of which any one is enough. */
export interface Style {
  colour: string;
  dash: string;
  /** A shape around (0, 0), some 8 px wide. */
  marker: string;
}

export const STYLES: readonly Style[] = [
  { colour: "var(--series-1)", dash: "", marker: "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z" },
  { colour: "var(--series-2)", dash: "8 3", marker: "M-3.2 -3.2H3.2V3.2H-3.2Z" },
  { colour: "var(--series-3)", dash: "2 3", marker: "M0 -4.2L4 3H-4Z" },
  { colour: "var(--series-4)", dash: "10 3 2 3", marker: "M0 -4.6L4.2 0L0 4.6L-4.2 0Z" },
  { colour: "var(--series-5)", dash: "5 2 1 2 1 2", marker: "M-4 -3H4L0 4.2Z" },
  { colour: "var(--series-6)", dash: "14 4", marker: "M-1.4 -4H1.4V-1.4H4V1.4H1.4V4H-1.4V1.4H-4V-1.4H-1.4Z" },
];

export const styleOf = (index: number): Style => STYLES[index % STYLES.length]!;

export interface Point {
  x: number;
  /** null: a gap. */
  y: number | null;
}
