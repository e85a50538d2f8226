import { expect, it } from "vitest";
import { explain } from "./explain";
import { film } from "./fixtures";
import { NetworkGrid } from "./network";

it("has nothing of a gate's sum before that gate's part has come, whatever others have", () => {
  const shown = film("lstm");
  const grid = NetworkGrid.of(shown.trace)!;
  const a = grid.column(2)!.a!;
  const values = Array.from({ length: shown.length + 1 }, (_, m) => explain(shown, { kind: "gradient", node: a, index: [0, 0] }, m, 0).value);
  const whole = shown.trace.gradient(a)!.at([0, 0]);
  expect(whole).not.toBe(0);
  expect(new Set(values)).toEqual(new Set([null, whole]));
});
