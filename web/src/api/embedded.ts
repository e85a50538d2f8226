/** A film saved as a file: the page comes with its answers, and there is no server to ask. */
import type { Program } from "../model/trace";
import { Problem } from "./problem";

/** What server/export/html.py writes into the file. */
interface Saved {
  /** What made the film; its page is the one that is shown. */
  program: Program;
  /** The answers of the API, by address. */
  answers: Record<string, unknown>;
}

/** The Problem of whatever only a server can do. */
export function needsServer(): Problem {
  return new Problem("saved_film", "this film is a file; open Retrograd on a server for what has to be computed", 0);
}

export class Embedded {
  constructor(private readonly saved: Saved) {}

  get program(): Program {
    return this.saved.program;
  }

  /** The answer to a GET. Throws a Problem for what did not come with the page. */
  get(path: string): unknown {
    if (!Object.hasOwn(this.saved.answers, path)) throw needsServer();
    return this.saved.answers[path];
  }

  /** The film for its own program. Throws a Problem for anything that has to be computed. */
  post(path: string, body: unknown): unknown {
    const own = path === "/traces" && JSON.stringify(body) === JSON.stringify({ program: this.program });
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
