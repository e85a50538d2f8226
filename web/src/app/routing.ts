/**
 * The address bar. A page, its film and how that is looked at stand in the hash, so that a link, a reload and the Back button all lead to
 * the same moment: `#/network?v=2&p=…&at=91&why=gradient:0,2:rnn.weight_hh_l0`. docs/api.md lists the fields.
 */
import type { Problem } from "../api/problem";
import type { Program } from "../api/types";
import type { Edit } from "../model/program";
import { pack, unpack } from "../share/packed";
import { readEdits, readPayload, readProgram, readWhatIf } from "../share/programs";
import { NO_VIEW, over, readView, writeView, type View } from "../share/view";

export const PAGES = ["expression", "network", "train", "compare"] as const;
/** Pages that no tab leads to. */
const FURTHER = ["worksheet", "missing"] as const;
export type PageName = (typeof PAGES)[number] | (typeof FURTHER)[number];

/** 1 had a program, or a step of a run, and nothing else; its links are read as ever. */
export const VERSION = 2;

export interface Route {
  page: PageName;
  /** The program whose film is shown; beside a run, what makes the same film where the run is gone. */
  program: Program | null;
  /** A stored trace whose film is shown: of a program too long for an address. */
  trace: string | null;
  /** A step of a run whose film is shown. */
  run: string | null;
  step: number | null;
  example: number | null;
  /** The part of the data that the example is of; null: the training part. */
  part: "validation" | "test" | null;
  /** What the Train page shows beside one run: runs that are compared, a sweep (`new`: one to be made), runs on a map of the loss. */
  runs: string[] | null;
  sweep: string | null;
  landscape: string[] | null;
  /** What was changed in the film: as POST …/what-if takes it. */
  edits: Edit[];
  /** What a page of its own keeps in its links, an object that it alone reads. */
  payload: Record<string, unknown> | null;
  view: View;
  /** The short name under which the server keeps all of this; the view in the address goes before the one that is kept. */
  link: string | null;
  /** What the link leads to is being fetched, or why that failed. */
  waiting: boolean;
  problem: Problem | null;
  /** The fields of the address that cannot be read. */
  broken: string[];
}

function naturalNumber(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** Ids with commas between; null where there is no such field. */
function ids(text: string | null): string[] | null {
  return text === null ? null : text.split(",").filter(Boolean);
}

/** Reads a hash such as `#/network?p=…`; no page is the network page, an unknown one the page "missing", and unknown fields are passed over. */
export function parseRoute(hash: string): Route {
  const [, path = "", query = ""] = /^#?\/?([^?]*)\??(.*)$/s.exec(hash) ?? [];
  const search = new URLSearchParams(query);
  const page = [...PAGES, ...FURTHER].find((name) => name === path) ?? (path === "" ? "network" : "missing");
  const broken: string[] = [];

  /** What `read` makes of a packed field. */
  function packed<Value>(name: string, read: (value: unknown) => Value | null): Value | null {
    const text = search.get(name);
    if (text === null) return null;
    const value = read(unpack(text));
    if (value === null) broken.push(name);
    return value;
  }

  const version = search.get("v");
  if (version !== null && !(Number(version) >= 1 && Number(version) <= VERSION)) broken.push("v");
  const link = search.get("link");
  if (link !== null && !/^[a-z0-9]{1,40}$/.test(link)) broken.push("link");
  let changes: Edit[] = []; // of a program that is a what-if
  return {
    page,
    program: packed("p", (value) => {
      const made = readWhatIf(value);
      const program = made && readProgram(made.program);
      if (!program || (page !== "worksheet" && (program.kind === "network") !== (page !== "expression"))) return null;
      changes = made.edits;
      return program;
    }),
    trace: search.get("trace"),
    run: search.get("run"),
    step: naturalNumber(search.get("step")),
    example: naturalNumber(search.get("example")),
    part: (["validation", "test"] as const).find((part) => part === search.get("part")) ?? null,
    runs: ids(search.get("runs")),
    sweep: search.get("sweep"),
    landscape: ids(search.get("landscape")),
    edits: [...changes, ...(packed("x", readEdits) ?? [])],
    payload: packed("c", readPayload),
    view: readView(search, broken),
    link,
    waiting: false,
    problem: null,
    broken,
  };
}

/** In a fragment these may stand as they are, and are easier to read so. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/%(3A|3D|2C|2F|40)/g, (code) => decodeURIComponent(code));
}

export function formatRoute(route: Partial<Route> & { page: PageName }): string {
  const film: [string, string][] = [];
  const further: [string, string][] = [];
  if (route.link) {
    further.push(["link", route.link]);
  } else {
    if (route.program) film.push(["p", pack(route.program)]);
    if (route.trace) film.push(["trace", route.trace]);
    if (route.run) film.push(["run", route.run]);
    if (route.step) film.push(["step", String(route.step)]);
    if (route.example !== null && route.example !== undefined) film.push(["example", String(route.example)]);
    if (route.part) film.push(["part", route.part]);
    if (route.runs) film.push(["runs", route.runs.join(",")]);
    if (route.sweep) film.push(["sweep", route.sweep]);
    if (route.landscape) film.push(["landscape", route.landscape.join(",")]);
    if (route.edits?.length) further.push(["x", pack(route.edits)]);
    if (route.payload) further.push(["c", pack(route.payload)]);
  }
  further.push(...writeView(route.view ?? NO_VIEW));
  const fields: [string, string][] = [...(further.length ? [["v", String(VERSION)] as [string, string]] : []), ...film, ...further];
  const query = fields.map(([name, value]) => `${name}=${encoded(value)}`).join("&");
  return `#/${route.page}${query && `?${query}`}`;
}

/** The address of the film alone, however it is looked at. */
export function filmAddress(route: Route): string {
  return formatRoute({ ...route, view: NO_VIEW });
}

/** The route of an address that names a link, once it is known what that leads to. */
export function resolved(route: Route, kept: Route): Route {
  return { ...kept, link: route.link, page: route.page, view: over(route.view, kept.view), broken: kept.page === route.page && !kept.link ? kept.broken : ["link"] };
}

/** An address that cannot be read in part, without that part; null where that is the film itself, or nothing. */
export function readable(route: Route): string | null {
  const film = route.broken.some((name) => ["p", "link", "c"].includes(name));
  return route.broken.length === 0 || film ? null : formatRoute(route);
}
