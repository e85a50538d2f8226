import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { contrast, parseColour } from "../../../stage/palette";
import { STYLES } from "./series";

const read = (file: string): string => readFileSync(join(import.meta.dirname, file), "utf8").replace(/\/\*.*?\*\//gs, "");
const TOKENS = read("../../../styles/tokens.css").replace(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}/g, "");
const SERIES = read("series.css");

function block(css: string, selector: string): Record<string, string> {
  const rule = css.split("}").find((candidate) => candidate.split("{")[0]!.trim() === selector)!;
  return Object.fromEntries([...rule.matchAll(/(--[\w-]+):\s*([^;]+)/g)].map((match) => [match[1]!, match[2]!.trim()]));
}

describe.each([
  [":root", [":root"], 4.5],
  ['[data-theme="dark"]', [":root", '[data-theme="dark"]'], 4.5],
  ['[data-contrast="more"]', [":root", '[data-contrast="more"]'], 7],
  ['[data-theme="dark"][data-contrast="more"]', [":root", '[data-theme="dark"]', '[data-theme="dark"][data-contrast="more"]'], 7],
] as const)("the colours of runs in %s", (selector, layers, least) => {
  it(`keep ${least}:1 from every surface, and are six`, () => {
    const tokens: Record<string, string> = Object.assign({}, ...layers.map((layer) => block(TOKENS, layer)));
    const colours = Object.values(block(SERIES, selector));
    expect(new Set(colours).size).toBe(STYLES.length);
    for (const colour of colours) for (const surface of ["--bg", "--surface", "--sunken"]) expect([colour, surface, contrast(parseColour(colour), parseColour(tokens[surface]!)) >= least]).toEqual([colour, surface, true]);
  });
});

describe("the styles of runs", () => {
  it("differ in dash and in marker, too", () => {
    for (const part of ["colour", "dash", "marker"] as const) expect(new Set(STYLES.map((style) => style[part])).size).toBe(6);
  });
});
