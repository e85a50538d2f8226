import { describe, expect, it } from "vitest";
import type { Program } from "../api/types";
import { decodeProgram, encodeProgram, formatRoute, parseRoute } from "./routing";

const expression: Program = { kind: "expression", expression: "tanh(w*x + β)", inputs: { w: 0.5, x: [1, 2], β: 0 }, wrt: ["w"] };
const network: Program = {
  kind: "network", task: "surnames", cell: "gru", hidden_size: 4, optimizer: { name: "adamw", lr: 0.01 },
  clip_norm: null, batch_size: 32, seed: 0, step: 3, example: null,
};

describe("routing", () => {
  it("carries a program through the address and back, also one with letters beyond ASCII", () => {
    expect(decodeProgram(encodeProgram(expression))).toEqual(expression);
    expect(encodeProgram(expression)).toMatch(/^[\w-]+$/);
    const hash = formatRoute({ page: "network", program: network });
    expect(parseRoute(hash)).toEqual({ page: "network", program: network, trace: null, run: null, step: null, example: null, broken: false });
  });

  it("carries a step of a run", () => {
    const hash = formatRoute({ page: "network", run: "r_1", step: 7, example: 0 });
    expect(hash).toBe("#/network?run=r_1&step=7&example=0");
    expect(parseRoute(hash)).toMatchObject({ run: "r_1", step: 7, example: 0, broken: false });
  });

  it("opens the network page for an empty or unknown address", () => {
    expect(parseRoute("")).toMatchObject({ page: "network", program: null, broken: false });
    expect(parseRoute("#/nowhere")).toMatchObject({ page: "network", broken: false });
  });

  it("says when a link cannot be read, and when a program does not belong to its page", () => {
    expect(parseRoute("#/network?p=!!!")).toMatchObject({ program: null, broken: true });
    expect(parseRoute(`#/network?p=${encodeProgram(expression)}`)).toMatchObject({ program: null, broken: true });
    expect(parseRoute("#/network?run=r_1&step=seven")).toMatchObject({ step: null });
  });
});
