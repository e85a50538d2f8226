import { describe, expect, it } from "vitest";
import type { Sweep, Trial } from "../../../api/sweeps";
import { layOut, slicesFigure } from "./slices";

const trial = (number: number, value: number | null, params: Trial["params"], state: Trial["state"] = "complete"): Trial => ({ number, value, params, state, run: `r_${number}`, error: null, curve: [] });
const trials = [trial(0, 0.5, { lr: 0.01, hidden_size: 16 }), trial(1, 0.7, { lr: 0.02, hidden_size: 8 }, "pruned"), trial(2, null, { lr: 0.03, hidden_size: 8 }, "running")];
const sweep: Pick<Sweep, "space" | "best"> = { space: { lr: { low: 0.001, high: 0.1, log: true }, hidden_size: { choices: [16, 8] } }, best: { number: 1, run: "r_1", value: 0.7, params: trials[1]!.params } };
const words = { score: "accuracy", name: (name: string) => `<${name}>`, text: (_: string, value: unknown) => String(value), says: (one: Trial) => `trial ${one.number}`, format: ".0%" };

describe("scores against settings", () => {
  it("have a drawing a setting, with the same scores and the best the largest", () => {
    const { data, layout } = slicesFigure(sweep, trials, words, { getPropertyValue: (name) => name }, 900);
    expect(data).toHaveLength(2);
    expect(data[0]).toMatchObject({ x: [0.01, 0.02], y: [0.5, 0.7], text: ["trial 0", "trial 1"], marker: { size: [7, 13], color: ["--series-1", "--surface"] } });
    expect(data[1]).toMatchObject({ x: ["16", "8"], y: [0.5, 0.7], xaxis: "x2", yaxis: "y2" });
    expect(layout).toMatchObject({ xaxis: { type: "log", tickvals: [0.001, 0.01, 0.1], ticktext: ["10⁻³", "10⁻²", "10⁻¹"], title: { text: "<lr>" } }, xaxis2: { type: "category", categoryarray: ["8", "16"] }, yaxis2: { matches: "y", showticklabels: false } });
  });

  it("stand below each other where there is no room beside", () => {
    expect(layOut(3, 1000)).toEqual({ columns: 3, rows: 1 });
    expect(layOut(3, 500)).toEqual({ columns: 2, rows: 2 });
    expect(layOut(3, 100)).toEqual({ columns: 1, rows: 3 });
  });
});
