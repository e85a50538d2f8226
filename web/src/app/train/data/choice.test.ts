import { describe, expect, it } from "vitest";
import type { DataColumn, DatasetChoice } from "../../../api/types";
import { bodyOf, edited, FRESH, withTask } from "../form/settings";
import { bytes, choiceKey, choiceOfKind, choiceTitle, firstChoice, isSpreadsheet, kindsOf, learningFrom, sameChoice, usualWindow, withColumn } from "./choice";

const column = (name: string, kind: DataColumn["kind"], distinct = 30): DataColumn => ({ name, kind, distinct, missing: 0, sample: [] });
const data = (columns: DataColumn[], suggestion: Record<string, unknown> | null = null, rows = 300) => ({ id: "d_1", rows, columns, suggestion });
const WORDS = [column("word", "text"), column("note", "text", 200), column("sort", "category", 3)];
const TEXT: DatasetChoice = { id: "d_1", kind: "text", text: "word", label: "sort" };

describe("the first choice of columns", () => {
  it("is what the server suggests", () => {
    expect(firstChoice(data(WORDS, { kind: "text", text: "note", label: "sort" }))).toEqual({ ...TEXT, text: "note" });
    expect(firstChoice(data([column("a", "number"), column("b", "number")], { kind: "series", column: "a", window: 20 }))).toEqual({ id: "d_1", kind: "series", column: "a", window: 20 });
  });

  it("is else a text with the column of the fewest labels, or the last numbers", () => {
    expect(firstChoice(data(WORDS))).toEqual(TEXT);
    expect(firstChoice(data([column("a", "number")]))).toEqual({ id: "d_1", kind: "series", column: "a", window: 20 });
    expect(choiceOfKind(data([column("day", "number"), column("value", "number"), column("note", "text")]), "series")).toMatchObject({ column: "value" });
    expect(choiceOfKind(data([column("word", "text"), column("same", "category", 1), column("sort", "category", 3)]), "text")).toMatchObject({ label: "sort" });
  });

  it("is none where there is one column of text", () => {
    expect(kindsOf(data([column("word", "text")]))).toEqual([]);
    expect(firstChoice(data([column("word", "text")]))).toBeNull();
  });

  it("has a window that fits into a tenth of the rows, with the number after it", () => {
    expect([20, 30, 60, 200, 210, 5000].map(usualWindow)).toEqual([2, 2, 5, 19, 20, 20]);
    for (const rows of [30, 60, 115, 200, 999]) expect(usualWindow(rows) + 1).toBeLessThanOrEqual(Math.floor(rows / 10));
  });
});

describe("another column", () => {
  it("changes places with the one that it is the same as", () => {
    expect(withColumn(TEXT, "text", "note")).toEqual({ ...TEXT, text: "note" });
    expect(withColumn(TEXT, "label", "word")).toEqual({ ...TEXT, text: "sort", label: "word" });
    expect(withColumn(TEXT, "text", "sort")).toEqual({ ...TEXT, text: "sort", label: "word" });
  });

  it("is another choice; a default that is written out is not", () => {
    expect(sameChoice(TEXT, { ...TEXT, length: 64 })).toBe(true);
    expect(sameChoice(TEXT, { ...TEXT, length: 32 })).toBe(false);
    expect(sameChoice(TEXT, null)).toBe(false);
    expect(choiceKey({ id: "d_1", kind: "series", column: "a", window: 5 })).not.toBe(choiceKey({ id: "d_1", kind: "series", column: "a", window: 6 }));
  });
});

describe("a program", () => {
  it("learns data in place of a task, and a task in place of data", () => {
    const adding = edited(withTask(FRESH, "adding"), { length: 40 });
    const own = edited(adding, learningFrom(TEXT));
    expect(bodyOf(own).program).toEqual({ ...bodyOf(withTask(FRESH, "own-data")).program, dataset: TEXT });
    expect(bodyOf(withTask(own, "adding"))).toEqual(bodyOf(withTask(FRESH, "adding")));
  });

  it("is called by its columns", () => {
    expect(choiceTitle(TEXT)).toBe("word → sort");
    expect(choiceTitle({ id: "d_1", kind: "series", column: "value", window: 5 })).toBe("value");
  });
});

describe("files", () => {
  it("of spreadsheets are told by their names", () => {
    expect(["a.xlsx", "b.XLS", "c.ods"].every(isSpreadsheet)).toBe(true);
    expect(["a.csv", "xls", "b.tsv", "notes.txt"].some(isSpreadsheet)).toBe(false);
  });

  it("have sizes in a fitting unit", () => {
    expect([999, 2210, 10 * 2 ** 20].map(bytes)).toEqual(["999 B", "2.2 kB", "10.0 MiB"]);
  });
});
