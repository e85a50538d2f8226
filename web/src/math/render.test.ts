import { expect, it } from "vitest";
import { renderTex, segments } from "./render";

it("renders MathML, cached, and shows what cannot be read", () => {
  expect(renderTex("h_{3}[1]", false)).toContain("<math");
  expect(renderTex("h_{3}[1]", true)).toContain('display="block"');
  expect(renderTex("\\frac{<b>", false)).toBe('<span class="tex-unread">\\frac{&#60;b&#62;</span>'); // no red, no markup
});

it("leaves no markup of a trace alive", () => {
  expect(renderTex("\\mathrm{<img src=x onerror=1>}", false)).not.toContain("<img");
});

it("splits sentences into words, bold words and formulas", () => {
  expect(segments("so the **sum of $n$ shares**: $x$.")).toEqual([
    { kind: "text", text: "so the ", bold: false },
    { kind: "text", text: "sum of ", bold: true },
    { kind: "tex", text: "n", bold: true },
    { kind: "text", text: " shares", bold: true },
    { kind: "text", text: ": ", bold: false },
    { kind: "tex", text: "x", bold: false },
    { kind: "text", text: ".", bold: false },
  ]);
});
