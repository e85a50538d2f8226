/** A program brought along as text: pasted, dropped, or read from a file. */
import type { Program } from "../model/program";

/** A graph that another program recorded (docs/api.md, Imported graphs); the server reads the rest of it. */
export interface GraphProgram {
  kind: "graph";
  nodes: unknown[];
  edges: unknown[];
}

export type Brought = Program | GraphProgram;

/** Whether a pasted text means a program, rather than something to be typed. */
export function looksLikeJson(text: string): boolean {
  return /^\s*\{/.test(text);
}

/**
 * The program in `text`: a program itself, the body of a request that holds one, or a whole trace, which holds the one that made it. Null
 * when it is none of them.
 */
export function readProgram(text: string): Brought | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  for (const candidate of [value, (value as { program?: unknown } | null)?.program]) {
    if (typeof candidate !== "object" || candidate === null || !("kind" in candidate)) continue;
    if (candidate.kind === "graph" && "nodes" in candidate && Array.isArray(candidate.nodes)) return { edges: [], ...candidate } as unknown as GraphProgram;
    if (candidate.kind === "expression" || candidate.kind === "network") return candidate as Program;
  }
  return null;
}
