// @vitest-environment happy-dom
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { catalogues } from "./catalogues";
import { dateAndTime, fill, pluralForm } from "./format";
import { inLanguage } from "./index.svelte";
import "../claims/words";
import "../compare/words";
import "../graph/words";
import "../help/words";
import "../inspector/words";
import "../lecture/words";
import "../predict/words";
import "../stage/loupe/words";
import "../stage/said/words";
import "../tray/words";
import "../app/train/data/words";
import "../app/train/film/words";
import "../app/train/runWords";
import "../app/train/words";

const SOURCES = join(import.meta.dirname, "..");

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return path.endsWith("i18n") ? [] : sources(path);
    return /\.(ts|svelte)$/.test(entry.name) && !entry.name.endsWith(".test.ts") ? [readFileSync(path, "utf8")] : [];
  });
}

/** `{name}` outside of formulas. */
function params(message: string): string[] {
  return [...message.replace(/\$[^$]*\$/g, "").matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();
}

describe("the catalogues", () => {
  const text = sources(SOURCES).join("\n");
  const { en, zh } = catalogues;

  it("have the same keys, none twice", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    const parts = Object.values(import.meta.glob<Record<string, string>>("./*.en.ts", { eager: true, import: "default" }));
    expect(Object.keys(en)).toHaveLength(parts.reduce((count, part) => count + Object.keys(part).length, 0));
  });

  it("have the same parameters in both languages, and no empty message", () => {
    for (const key of Object.keys(en)) {
      expect([key, [...new Set(params(zh[key]!))]]).toEqual([key, [...new Set(params(en[key]!))]]);
      expect([key, en[key]!.trim() !== "" && zh[key]!.trim() !== ""]).toEqual([key, true]);
    }
  });

  it("have no key that is never used", () => {
    // A key is used where it stands in the sources, or where its beginning stands before `${…}`; notes come from traces.
    const beginnings = [...text.matchAll(/[`"]([a-z_]+(?:\.[a-z_]+)*[._])\$\{/g)].map((match) => match[1]!);
    const unused = Object.keys(en).map((key) => key.replace(/#(one|other)$/, "")).filter(
      (key) => !text.includes(`"${key}"`) && !text.includes(`'${key}'`) && !text.includes(`\`${key}\``) && !key.startsWith("note.") && !beginnings.some((beginning) => key.startsWith(beginning)),
    );
    expect(unused).toEqual([]);
  });

  it("lack no key that the sources name", () => {
    const named = [...text.matchAll(/["'`]((?:app|help|runs|state|share|compare|graph|stage|teach|why|tray|transport|whatif|predict|claim|train|own)\.[a-z0-9_]+(?:\.[a-z0-9_]+)*)["'`]/g)].map((match) => match[1]!);
    expect([...new Set(named)].filter((key) => !(key in en) && !(`${key}#one` in en && `${key}#other` in en))).toEqual([]);
  });
});

describe("counts of things", () => {
  it("have the form and the digits of the language", () => {
    expect(inLanguage("en", "train.steps_done", { count: 1 })).toBe("1 step");
    expect(inLanguage("en", "train.steps_done", { count: 1200 })).toBe("1,200 steps");
    expect(inLanguage("zh", "train.steps_done", { count: 1 })).toBe("1 步");
    expect(() => inLanguage("en", "train.steps_done")).toThrow("No message");
  });

  it("have dates of the language beside them", () => {
    const date = new Date(2026, 10, 5, 14, 7);
    expect(dateAndTime("en", date)).toMatch(/^Nov 5, 2026, 2:07\sPM$/);
    expect(dateAndTime("zh", date)).toBe("2026年11月5日 14:07");
  });
});

describe("plural forms", () => {
  it("are both there, and English says one of one alone", () => {
    const counted = Object.keys(catalogues.en).filter((key) => /#(one|other)$/.test(key)).map((key) => key.replace(/#(one|other)$/, ""));
    for (const key of counted) for (const form of ["one", "other"]) expect([key, form, `${key}#${form}` in catalogues.en]).toEqual([key, form, true]);
    expect([0, 1, 2, 21].map((count) => pluralForm("en", count))).toEqual(["other", "one", "other", "other"]);
    expect([0, 1, 2, 21].map((count) => pluralForm("zh", count))).toEqual(["other", "other", "other", "other"]);
  });
});

describe("fill", () => {
  it("replaces what is given and leaves the groups of formulas", () => {
    expect(fill("$W_{hh}$ at {t}: {x}{x}", { t: 3, x: "y" })).toBe("$W_{hh}$ at 3: yy");
  });
});
