// The small real traces of the tests (scripts/make_web_fixtures.py).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Film } from "./film";
import { Trace } from "./trace";

export const FIXTURES = ["scalar", "vector", "layers", "rnn", "wide", "rnn-batch", "gru", "stack", "lstm", "rnn-edited", "adam", "rmsprop", "rmsprop-centered", "adagrad", "nesterov"] as const;

export function document(name: (typeof FIXTURES)[number]): Record<string, unknown> {
  return JSON.parse(readFileSync(join(import.meta.dirname, "fixtures", `${name}.json`), "utf8")) as Record<string, unknown>;
}

export function film(name: (typeof FIXTURES)[number]): Film {
  return new Film(Trace.from(document(name)));
}
