// @vitest-environment happy-dom
import "./words";
import { beforeEach, describe, expect, it } from "vitest";
import { catalogues } from "../i18n/catalogues";
import { fill } from "../i18n/format";
import { document as fixture } from "../model/fixtures";
import type { Program } from "../model/program";
import { CueError, fits, LONGEST, moved, readCues, SCHEMA, writeCues, type Cue, type CueFile } from "./cues";
import { CueList } from "./cueList.svelte";

const program = fixture("rnn").program as Program;
const cue = (at: Cue["at"], text = String(at)): Cue => ({ at, caption: { en: text, zh: `${text}。` }, columns: null });
const file: CueFile = { program, edits: [{ node: "x", index: [0], value: 1 }], row: 0, cues: [cue(0), { ...cue(7), columns: [1, 3] }, cue("after")] };

describe("a cue file", () => {
  it("is read as it was written", () => {
    expect(readCues(writeCues(file))).toEqual(file);
    expect(JSON.parse(writeCues(file))).toMatchObject({ schema: SCHEMA, program: { kind: "network" } });
  });

  /** The file with something else in it, as text. */
  const other = (change: Record<string, unknown>): string => JSON.stringify({ ...(JSON.parse(writeCues(file)) as object), ...change });

  it.each([
    ["{", "json"],
    ["[]", "schema"],
    ['{"schema": "retrograd.trace/1"}', "schema"],
    [other({ schema: "retrograd.cues/2" }), "newer"],
    [other({ program: null }), "program"],
    [other({ program: { kind: "expression", expression: "x" } }), "program"],
    [other({ edits: "none" }), "program"],
    [other({ cues: [] }), "cues"],
    [other({ cues: Array.from({ length: 101 }, () => cue(0)) }), "cues"],
    [other({ cues: [{ ...cue(0), at: -1 }] }), "at"],
    [other({ cues: [{ ...cue(0), at: "end" }] }), "at"],
    [other({ cues: [null] }), "at"],
    [other({ cues: [{ at: 0, caption: { en: "one" } }] }), "caption"],
    [other({ cues: [{ at: 0, caption: { en: "x".repeat(LONGEST + 1), zh: "" } }] }), "caption"],
    [other({ cues: [{ ...cue(0), columns: [0] }] }), "columns"],
    [other({ cues: [{ ...cue(0), columns: [1, 2, 3, 4, 5, 6, 7] }] }), "columns"],
    [" ".repeat(1_000_001), "size"],
  ])("that is none says what is wrong (%#)", (text, what) => {
    let caught: unknown;
    try {
      readCues(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(CueError);
    const { key, params } = caught as CueError;
    expect(key).toBe(`teach.cues.error.${what}`);
    for (const lang of ["en", "zh"] as const) expect(fill(catalogues[lang][key]!, params)).not.toMatch(/\{[a-z]+\}/);
  });

  it("belongs to a film that is long enough", () => {
    expect(() => fits(file.cues, 7)).not.toThrow();
    expect(() => fits(file.cues, 6)).toThrow(/beyond/);
  });

  it("moves a cue as far as there are places", () => {
    const names = (list: Cue[]): unknown[] => list.map(({ at }) => at);
    expect([names(moved(file.cues, 0, 1)), names(moved(file.cues, 2, -2)), names(moved(file.cues, 0, -1))]).toEqual([[7, 0, "after"], ["after", 0, 7], [0, 7, "after"]]);
  });
});

describe("the list of a film", () => {
  beforeEach(() => localStorage.clear());
  const rest = { program, edits: [], row: 0 };
  const open = (list: CueList, id = "one", length = 10): void => list.open(id, length, rest, () => [cue(2), cue(5), cue("after")]);

  it("is the film's own until it is changed; what is changed is kept, and cleared", () => {
    const first = new CueList();
    open(first);
    expect([first.own, first.cues.length, localStorage.length]).toEqual([false, 3, 0]);
    first.edit(0, "en", "changed");
    first.add(cue(9));
    const second = new CueList();
    open(second);
    expect([second.own, second.cues.map(({ at }) => at), second.cues[0]!.caption]).toEqual([true, [2, 5, "after", 9], { en: "changed", zh: "2。" }]);
    second.clear();
    expect([second.own, second.cues.length, localStorage.length]).toEqual([false, 3, 0]);
  });

  it("is not taken from another film, a shorter one, or a memory that is damaged", () => {
    const first = new CueList();
    open(first);
    first.add(cue(9));
    const other = new CueList();
    open(other, "two");
    expect(other.own).toBe(false);
    open(other, "one", 8);
    expect(other.own).toBe(false);
    localStorage.setItem("retrograd.cues.one", "{");
    open(other, "one");
    expect([other.own, other.cues.length]).toEqual([false, 3]);
  });

  it("forgets the oldest of too many films, and lasts where nothing can be kept", () => {
    for (let k = 0; k < 25; k++) {
      const list = new CueList();
      open(list, `film${k}`);
      list.remove(0);
    }
    expect(localStorage.length).toBeLessThanOrEqual(20);
    expect(localStorage.getItem("retrograd.cues.film24")).not.toBeNull();
    const forbidden = new CueList(null);
    open(forbidden);
    forbidden.add(cue(3));
    expect(forbidden.cues).toHaveLength(4);
  });

  it("goes on and back from cue to cue, or from the place in the film", () => {
    const list = new CueList();
    open(list);
    expect([list.step(1, 0, false), list.step(1, 3, false), list.step(-1, 3, false), list.step(-1, 0, false), list.step(1, 10, true)]).toEqual([0, 1, 0, null, null]);
    list.current = 1;
    expect([list.step(1, 0, false), list.step(-1, 0, false)]).toEqual([2, 0]);
    list.current = 2;
    expect(list.step(1, 0, false)).toBeNull();
  });

  it("keeps the cue one is at while others move and go", () => {
    const list = new CueList();
    open(list);
    list.current = 1;
    list.move(0, 1);
    expect([list.current, list.cues[list.current]!.at]).toEqual([0, 5]);
    list.remove(1);
    expect([list.current, list.cues.map(({ at }) => at)]).toEqual([0, [5, "after"]]);
    expect([list.at(5, false)?.at, list.at(10, true)?.at, list.at(4, false)]).toEqual([5, "after", null]);
  });

  it("writes the program into its file", () => {
    const list = new CueList();
    open(list);
    expect(readCues(list.toFile())).toEqual({ ...rest, cues: list.cues });
  });
});
