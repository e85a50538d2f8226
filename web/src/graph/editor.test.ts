import { describe, expect, it } from "vitest";
import { brackets, offsetOf, pieces, wordAt } from "./editor";

const at = (text: string, line: number, column: number): string => {
  const { from, to } = wordAt(text, offsetOf(text, line, column));
  return text.slice(from, to);
};

describe("the place of an error", () => {
  it("is a whole name, a whole number, or one character", () => {
    expect(at("tanh(w) + nosuch(w)", 1, 11)).toBe("nosuch");
    expect(at("a = w*x\nh = no(a)\nh", 2, 5)).toBe("no");
    expect(at("x ** 12.5e3", 1, 6)).toBe("12.5e3");
    expect(at("\u{1d6fc}*\u{1d6fd}+?", 1, 5)).toBe("?");
    expect(at("a \u{1f600} b", 1, 3)).toBe("\u{1f600}");
  });

  it("is empty at the end of a line, and never beyond the text", () => {
    expect(wordAt("a =\na", offsetOf("a =\na", 1, 4))).toEqual({ from: 3, to: 3 });
    expect(offsetOf("ab", 1, 9)).toBe(2);
    expect(offsetOf("ab", 7, 1)).toBe(2);
  });
});

describe("brackets", () => {
  it("are found from either side, nested ones passed over", () => {
    const text = "tanh((w + [1])*x)";
    expect(brackets(text, 5)).toEqual([4, 16]); // after the opening one
    expect(brackets(text, 17)).toEqual([4, 16]); // after the closing one
    expect(brackets(text, 4)).toEqual([4, 16]); // before the opening one
    expect(brackets(text, 12)).toEqual([10, 12]);
  });

  it("are none where there is no partner", () => {
    expect(brackets("tanh(w", 5)).toBeNull();
    expect(brackets("w)", 2)).toBeNull();
    expect(brackets("w*x", 1)).toBeNull();
  });
});

describe("pieces", () => {
  it("say the text again, cut at the marks", () => {
    const text = "a = (w)\nh = no(a)";
    const lines = pieces(text, wordAt(text, offsetOf(text, 2, 5)), brackets(text, 7));
    expect(lines.map((row) => row.map((piece) => piece.text).join("")).join("\n")).toBe(text);
    expect(lines.flat().filter((piece) => piece.marks.includes("error")).map((piece) => piece.text)).toEqual(["no"]);
    expect(lines.flat().filter((piece) => piece.marks.includes("bracket")).map((piece) => piece.text)).toEqual(["(", ")"]);
  });

  it("mark a blank where something is missing", () => {
    expect(pieces("a +\nb", { from: 3, to: 3 }, null)).toEqual([
      [{ text: "a +", marks: [] }, { text: "\u00a0", marks: ["error"] }],
      [{ text: "b", marks: [] }],
    ]);
  });
});
