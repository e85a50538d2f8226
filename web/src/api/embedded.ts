/** A film saved as a file: the page comes with its answers, and there is no server to ask. */
import type { Program } from "../model/program";
import { Problem } from "./problem";
import type { Figure } from "./types";

/** Figures of the film by name, in each language. */
export type SavedFigures = Record<string, Record<"en" | "zh", Figure>>;

/** What server/export/html.py writes into the file. */
interface Saved {
  /** The page that shows the film. */
  page: "network" | "expression";
  /** What made the film, where that is something the page can show: no imported graph is. */
  program: Program | null;
  /** The answers of the API, by address. */
  answers: Record<string, unknown>;
  /** What the film's Plotly figures show; none where it has none. */
  figures: SavedFigures;
}

/** The Problem of whatever only a server can do. */
export function needsServer(): Problem {
  return new Problem("saved_film", "this film is a file; open Retrograd on a server for what has to be computed", 0);
}

export class Embedded {
  constructor(private readonly saved: Saved) {}

  get page(): Saved["page"] {
    return this.saved.page;
  }

  get program(): Program | null {
    return this.saved.program;
  }

  get figures(): SavedFigures {
    return this.saved.figures;
  }

  /** The answer to a GET. Throws a Problem for what did not come with the page. */
  get(path: string): unknown {
    if (!Object.hasOwn(this.saved.answers, path)) throw needsServer();
    return this.saved.answers[path];
  }

  /** The film for its own program; for any where it has none. Throws a Problem for anything that has to be computed. */
  post(path: string, body: unknown): unknown {
    const own = path === "/traces" && (this.program === null || JSON.stringify(body) === JSON.stringify({ program: this.program }));
    if (!own) throw needsServer();
    return this.get("/opening");
  }
}

/** What came with this page, or null where a server stands behind it. */
export function readEmbedded(page: Pick<Document, "getElementById">): Embedded | null {
  const text = page.getElementById("retrograd-film")?.textContent;
  return text ? new Embedded(JSON.parse(text) as Saved) : null;
}

export const embedded = typeof document === "undefined" ? null : readEmbedded(document);
