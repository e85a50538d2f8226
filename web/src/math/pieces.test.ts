import { expect, it } from "vitest";
import { pieces } from "./pieces";
import { renderTex } from "./render";

const LONG = "\\tanh\\left(W_{ih}\\,x_{3} + b_{ih} - W_{hh}\\,h_{2}\\right) \\odot \\frac{\\partial L + 1}{\\partial h_{3}}";

it("leaves what is short whole", () => {
  expect(pieces("w \\cdot x + b")).toEqual(["w \\cdot x + b"]);
});

it("breaks a long formula before its operators, never inside braces", () => {
  expect(pieces(LONG)).toEqual(["\\tanh(W_{ih}\\,x_{3}", "{}+ b_{ih}", "{}- W_{hh}\\,h_{2})", "{}\\odot \\frac{\\partial L + 1}{\\partial h_{3}}"]);
});

it("takes a sign for no operator", () => {
  expect(pieces(`(-x_{1111111111111111} \\cdot -${"y".repeat(20)})`)).toEqual(["(-x_{1111111111111111}", `{}\\cdot -${"y".repeat(20)})`]);
});

it("breaks nothing that stands in a name", () => {
  const name = `\\text{${"a + b - c = ".repeat(5)}}`;
  expect(pieces(name)).toEqual([name]);
});

it("gives pieces that can each be read", () => {
  for (const piece of pieces(LONG)) expect(renderTex(piece, false)).not.toContain("tex-unread");
});
