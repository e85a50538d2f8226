// @vitest-environment happy-dom
import { afterEach, describe, expect, it } from "vitest";
import { preferences } from "../../preferences.svelte";
import { told } from "./told";
import "./words";

afterEach(() => (preferences.lang = "en"));

/** As server/datasets/reading.py, server/datasets/describing.py and server/tasks/own_data.py write them. */
const SENTENCES = [
  "this row has 3 cells, expected 2; it is left out",
  "only the first 20,000 rows are taken; the rest is left out",
  "the quote that is opened in this row is never closed, so the rest of the file is one cell; it is left out",
  "something follows a closing quote in this row; a quote within a cell is written twice; it is left out",
  "a cell of this row is too long (a quote that is opened and never closed makes one); it is left out",
  "a cell has more than 10,000 characters; the row is left out",
  "this cell is empty; the row is left out",
  "this cell is empty; windows reach up to it and begin after it",
  "this cell holds no number; windows reach up to it and begin after it",
  "this file takes more than 10 s of processor time to read; send a part of it, with fewer rows or columns",
  "40 texts are longer than 30 characters; the first 30 are read",
  "2 rows repeat an earlier one and are left out, so that no part knows another",
  "the file has 20,000,000 bytes, at most 10,485,760 are taken; send a part of it",
  "the file holds NUL bytes, so it is no text; save it as CSV in UTF-8",
  "the file is empty; it needs a row with the names of the columns, and rows of data",
  "the file has no rows of data; beneath the names of the columns it needs one row for each example",
  "the file holds no rows",
  "the file is in UTF-32, which is not read; save it in UTF-8",
  "byte 1,024 of the file, in row 7, is neither UTF-8, GB18030 nor Latin-1; save the file in UTF-8",
  "the file begins as UTF-16 does, but byte 12 of it is not; save it in UTF-8",
  "row 2 has 300 columns, at most 100 are taken; leave some out",
  "20,000 rows of the file cannot be taken, which is too many; the first is row 2: this row has 3 cells, expected 2; it is left out",
  "no row of the file can be read: a cell has more than 10,000 characters; the row is left out",
];

describe("what the server says", () => {
  it("has words in both languages, with its figures", () => {
    for (const lang of ["en", "zh"] as const) {
      preferences.lang = lang;
      for (const sentence of SENTENCES) {
        const { text, english } = told(sentence);
        expect([sentence, english, text.includes("{")]).toEqual([sentence, false, false]);
        expect(/[一-鿿]/.test(text)).toBe(lang === "zh");
      }
    }
    expect(told(SENTENCES[0]!).text).toContain("有 3 个单元格，应为 2 个");
    expect(told(SENTENCES.at(-1)!).text).toContain("没有一行可以读取");
  });

  it("of a choice names the field that is to be changed", () => {
    const fields = [
      "3 different rows have both word and sort, at least 20 are needed to learn and to check",
      "the column sort holds 300 different labels, expected 2 to 256 classes; choose another column",
      "text and label are the same column; choose two",
      "a window of 20 needs 21 numbers in a row, and the validation part has 6 rows; choose a smaller window, or bring more rows without gaps",
      "the column value hardly changes in its training part, so there is nothing to learn; choose another",
    ].map((sentence) => [told(sentence).field, told(sentence).english]);
    expect(fields).toEqual([["label", false], ["label", false], ["label", false], ["window", false], ["column", false]]);
    expect(told("a window of 20 needs 21 numbers in a row, and the validation part has 6 rows; choose").text).toBe(
      "A window of 20 needs 21 numbers in a row, and the validation part has 6 rows. Choose a smaller window, or bring more rows without gaps.",
    );
  });

  it("is shown as it is where there are no words for it", () => {
    expect(told("something new")).toEqual({ text: "something new", english: true, field: null });
  });
});
