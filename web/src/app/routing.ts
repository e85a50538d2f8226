/** The address bar. A page and what it shows stand in the hash, so that a link, a reload and the Back button all lead to the same film. */
import type { Program } from "../api/types";

export const PAGES = ["expression", "network", "train"] as const;
export type PageName = (typeof PAGES)[number];

export interface Route {
  page: PageName;
  /** The program whose film is shown. */
  program: Program | null;
  /** A stored trace whose film is shown: of a program too long for an address. */
  trace: string | null;
  /** A step of a run whose film is shown. */
  run: string | null;
  step: number | null;
  example: number | null;
  /** The hash names a program that cannot be read. */
  broken: boolean;
}

/** JSON as base64url of its UTF-8 bytes. */
export function encodeProgram(program: Program): string {
  const bytes = new TextEncoder().encode(JSON.stringify(program));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** The program in `text`, or null when it is none. */
export function decodeProgram(text: string): Program | null {
  try {
    const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const program: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof program !== "object" || program === null || !("kind" in program)) return null;
    return program.kind === "network" || program.kind === "expression" ? (program as Program) : null;
  } catch {
    return null;
  }
}

function naturalNumber(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** Reads a hash such as `#/network?p=…`; an unknown or missing page is the network page. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const search = new URLSearchParams(query);
  const packed = search.get("p");
  const page = PAGES.find((name) => name === path) ?? "network";
  const decoded = packed === null ? null : decodeProgram(packed);
  const program = decoded !== null && (decoded.kind === "expression") === (page === "expression") ? decoded : null;
  return {
    page,
    program,
    trace: search.get("trace"),
    run: search.get("run"),
    step: naturalNumber(search.get("step")),
    example: naturalNumber(search.get("example")),
    broken: packed !== null && program === null,
  };
}

export function formatRoute(route: Partial<Route> & { page: PageName }): string {
  const search = new URLSearchParams();
  if (route.program) search.set("p", encodeProgram(route.program));
  if (route.trace) search.set("trace", route.trace);
  if (route.run) search.set("run", route.run);
  if (route.step) search.set("step", String(route.step));
  if (route.example !== null && route.example !== undefined) search.set("example", String(route.example));
  const query = search.toString();
  return `#/${route.page}${query && `?${query}`}`;
}
