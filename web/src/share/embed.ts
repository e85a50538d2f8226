/** The page within another one: `?embed=1&hide=panel,inspector,tray,transport&theme=dark`, before the hash. */

export const PARTS = ["panel", "inspector", "tray", "transport"] as const;
export type Part = (typeof PARTS)[number];

export interface Embedding {
  /** The page stands in a frame of another: the stage fills it, and the bar on top is left out. */
  on: boolean;
  hidden: ReadonlySet<Part>;
  theme: "light" | "dark" | null;
}

/** Reads the query of an address; what is not known in it is passed over. */
export function readEmbedding(query: string): Embedding {
  const search = new URLSearchParams(query);
  const on = search.get("embed") === "1";
  const names = new Set((search.get("hide") ?? "").split(","));
  const theme = search.get("theme");
  return { on, hidden: new Set(on ? PARTS.filter((part) => names.has(part)) : []), theme: on && (theme === "light" || theme === "dark") ? theme : null };
}

/** The query for a frame that leaves `hidden` out. */
export function embeddingQuery(hidden: readonly Part[], theme: "light" | "dark"): string {
  return `?embed=1${hidden.length ? `&hide=${PARTS.filter((part) => hidden.includes(part)).join(",")}` : ""}&theme=${theme}`;
}

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** The frame's height in px: that of the stage, and of the parts that are not left out. */
function heightOf(hidden: readonly Part[]): number {
  return 560 + (hidden.includes("transport") ? 0 : 72) + (hidden.includes("tray") ? 0 : 232);
}

/** HTML that shows `address` in a page. */
export function snippet(address: string, title: string, hidden: readonly Part[]): string {
  return `<iframe src="${escaped(address)}" title="${escaped(title)}" width="100%" height="${heightOf(hidden)}" style="border: 0" loading="lazy" allow="clipboard-write"></iframe>`;
}

export const embedding: Embedding = readEmbedding(typeof location === "undefined" ? "" : location.search);
