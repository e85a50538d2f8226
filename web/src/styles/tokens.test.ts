import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { contrast, inkOn, mix, parseColour, type Palette } from "../stage/palette";

const CSS = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8").replace(/\/\*.*?\*\//gs, "").replace(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, "");

/** The tokens that a selector sets outside of media queries. */
function block(selector: string): Record<string, string> {
  const at = CSS.split("}").find((rule) => rule.split("{")[0]!.trim() === selector);
  if (at === undefined) throw new Error(`tokens.css has no rule for ${selector}`);
  return Object.fromEntries([...at.matchAll(/(--[\w-]+):\s*([^;]+)/g)].map((match) => [match[1]!, match[2]!.trim()]));
}

const light = block(":root");
const THEMES: Record<string, Record<string, string>> = {
  light,
  dark: { ...light, ...block('[data-theme="dark"]') },
  "light, high contrast": { ...light, ...block('[data-contrast="more"]') },
  "dark, high contrast": { ...light, ...block('[data-theme="dark"]'), ...block('[data-contrast="more"]'), ...block('[data-theme="dark"][data-contrast="more"]') },
};
const SURFACES = ["--bg", "--surface", "--sunken", "--hover"];
const INKS = ["--ink-1", "--ink-2", "--ink-3", "--grad", "--update", "--ok", "--bad"];

describe.each(Object.entries(THEMES))("the tokens of %s", (name, tokens) => {
  const least = name.includes("high") ? 7 : 4.5;
  const colour = (token: string) => parseColour(tokens[token]!);

  it(`keep every ink ${least}:1 from every surface`, () => {
    for (const ink of INKS) for (const surface of SURFACES) expect([ink, surface, contrast(colour(ink), colour(surface)) >= least]).toEqual([ink, surface, true]);
    expect(contrast(colour("--ink-inverse"), colour("--ink-1"))).toBeGreaterThanOrEqual(least);
  });

  it(`keep the digits of every tile ${least}:1 from its fill`, () => {
    const palette: Palette = { positive: colour("--value-pos"), negative: colour("--value-neg"), zero: colour("--value-zero"), dark: colour("--tile-dark"), light: colour("--tile-light") };
    for (let value = -1; value <= 1; value += 1 / 64) {
      const fill = mix(palette, value);
      expect([value, contrast(fill, inkOn(palette, fill)) >= least]).toEqual([value, true]);
    }
  });

  it("keep borders that mean something 3:1 from the surfaces they stand on", () => {
    for (const line of ["--line-3", "--mark", "--edge"]) for (const surface of ["--bg", "--surface"]) expect(contrast(colour(line), colour(surface))).toBeGreaterThanOrEqual(3);
  });

  it.runIf(name.includes("high"))("tell full tiles from the ground", () => {
    for (const sign of ["--value-pos", "--value-neg"]) expect(contrast(colour(sign), colour("--surface"))).toBeGreaterThanOrEqual(2);
  });
});
