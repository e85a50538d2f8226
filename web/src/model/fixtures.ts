// The small real traces of the tests (scripts/make_web_fixtures.py).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Film } from "./film";
import { Trace } from "./trace";

export const FIXTURES = ["scalar", "vector", "layers", "rnn", "wide", "rnn-batch", "gru", "stack", "lstm", "rnn-edited", "adam", "rmsprop", "rmsprop-centered", "adagrad", "nesterov"] as const;

/** One of many operations; large, so that not every test of every number takes it. */
export const TENSORS = "tensors";

type Fixture = (typeof FIXTURES)[number] | typeof TENSORS;

export function document(name: Fixture): Record<string, unknown> {
  return JSON.parse(readFileSync(join(import.meta.dirname, "fixtures", `${name}.json`), "utf8")) as Record<string, unknown>;
}

export function film(name: Fixture): Film {
  return new Film(Trace.from(document(name)));
}
