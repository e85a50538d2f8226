import { describe, expect, it } from "vitest";
import type { RunProgram, RunSummary } from "../../api/types";
import { FRESH_RUN } from "../program";
import { differences } from "./alike";

const stop = { steps: null, patience: null, min_delta: null, target: null, seconds: null };
const run = (id: string, change: Partial<RunProgram> = {}, edits: RunSummary["edits"] = []): Pick<RunSummary, "id" | "program" | "edits" | "stop"> => ({ id, program: { ...FRESH_RUN, ...change }, edits, stop });

describe("runs that look alike", () => {
  it("are told apart by what differs among them alone", () => {
    const found = differences([run("a"), run("b", { seed: 1 }, [{ step: 5, lr: 0.1 }]), run("c", { cell: "rnn", seed: 9 })], ({ program }) => program.cell);
    expect(found.get("a")).toEqual([{ key: "seed", value: 0 }]);
    expect(found.get("b")).toEqual([{ key: "seed", value: 1 }, { key: "edits", value: "5: 0.1" }]);
    expect(found.get("c")).toEqual([]);
  });
});
