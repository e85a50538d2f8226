// Documents of version 1 as they were written once (tests/fixtures/traces): this reader reads and explains them, and so does every later one.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Film } from "./film";
import { stops } from "./stops";
import { Trace } from "./trace";

const FOLDER = join(import.meta.dirname, "../../../tests/fixtures/traces");

describe.each(readdirSync(FOLDER))("%s", (name) => {
  const trace = Trace.from(JSON.parse(readFileSync(join(FOLDER, name), "utf8")));

  it("is read whole", () => {
    expect(trace.events.length).toBeGreaterThan(0);
    for (const node of trace.nodes) {
      expect(trace.value(node.id).shape).toEqual(node.shape);
      expect(trace.gradient(node.id)?.shape ?? node.shape).toEqual(node.shape);
    }
    for (let event = 0; event < trace.events.length; event++) trace.events.tensor(event);
  });

  it("is a film with stops up to its end", () => {
    const film = new Film(trace);
    for (const stride of ["event", "op", "cell", "phase"] as const) expect(stops(film, stride).at(-1)).toBe(film.length);
  });
});
