import { expect, it } from "vitest";
import { labelTex, nameTex, shortened } from "./label";
import { renderTex } from "./render";

it("writes a name as a symbol where it is one", () => {
  expect([labelTex("x"), labelTex("h_1"), labelTex("loss")]).toEqual(["x", "h_{1}", "\\mathrm{loss}"]);
});

it.each([
  ["\\frac{", "\\frac{"],
  ["<script>alert(1)</script>", "&lt;script&gt;"],
  ["a$b**c**$", "a$b"],
  ["100% & #1 ~ ^ {", "100% &amp; #1 ~ ^ {"],
  ["\u0634\u0628\u0643\u0629 \u0639\u0635\u0628\u064a\u0629", "\u0634\u0628\u0643\u0629"],
  ["\u{1f9e0}\u{1f469}\u200d\u{1f52c}", "\u{1f9e0}"],
  ["line\nbreak\u0000", "line break"],
  ["\\href{javascript:alert(1)}{x}", "\\href{"],
])("writes %s as the text that it is", (label, seen) => {
  const html = renderTex(labelTex(label), false);
  expect(html.replace(/<annotation.*<\/annotation>/, "").replace(/<[^>]+>/g, "").replaceAll("\u00a0", " ")).toContain(seen);
  expect(html).not.toMatch(/tex-unread|<script|href=|#cc0000/);
  expect(labelTex(label)).not.toContain("$"); // which would end a formula within a sentence
});

it("leaves out the middle of a long name, and no part of a character", () => {
  expect(shortened("abc")).toBe("abc");
  expect(shortened("encoder.layers.12.attention.query", 15)).toBe("encoder\u2026n.query");
  expect(Array.from(shortened("x".repeat(200)))).toHaveLength(24);
  const family = "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}";
  expect(shortened(family.repeat(60), 5)).toBe(`${family}${family}\u2026${family}${family}`);
});

it("reads a name whatever marks are heaped on its letters, and one of nothing but marks", () => {
  expect(labelTex("Z\u0351\u036b\u0334 e\u0301")).toBe("\\text{Z \u00e9}");
  expect(labelTex("\u0301")).toBe("\\text{?}");
});

it("writes a word in italics on one line", () => {
  expect(nameTex("w")).toBe("w");
  expect(nameTex("w_in")).toBe("\\mathit{w\\_in}");
  expect(nameTex("\\frac{")).toBe(labelTex("\\frac{"));
});
