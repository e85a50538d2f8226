import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

function components(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? components(path) : path.endsWith(".svelte") ? [path] : [];
  });
}

/** Spaces within a line that Svelte drops, since they are first or last in a block: `{#if more}· {/if}{words}` is shown as "·words". */
const DROPPED = /(?:\S[ \t]+\{\/(?:if|each|await|key|snippet)\}|\S[ \t]+\{:(?:else|then)[^}]*\}|\{(?:[#:](?:if|else|each|await|then|key|snippet)\b(?:[^{}]|\{[^{}]*\})*)\}[ \t]+\S)/;

describe("the components", () => {
  it("write spaces at the edges of blocks so that they are shown", () => {
    const dropped = components(import.meta.dirname).flatMap((path) => {
      const markup = readFileSync(path, "utf8").replace(/<(script|style)[^>]*>[^]*?<\/\1>/g, "");
      return markup.split("\n").filter((line) => DROPPED.test(line)).map((line) => `${path}: ${line.trim()}`);
    });
    expect(dropped).toEqual([]);
  });
});
