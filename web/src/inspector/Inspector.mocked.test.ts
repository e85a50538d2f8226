// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/svelte";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Session } from "../app/session.svelte";
import app from "../i18n/app.en";
import stage from "../i18n/stage.en";
import whatif from "../i18n/whatif.en";
import why from "../i18n/why.en";
import type { Target } from "../model/explain";
import { film } from "../model/fixtures";
import { NetworkGrid } from "../model/network";
import { Breakpoints } from "../transport/breakpoints.svelte";
import Inspector from "./Inspector.svelte";

vi.mock("../i18n/index.svelte", async () => {
  const { fill } = await import("../i18n/format");
  const en: Record<string, string> = { ...app, ...stage, ...whatif, ...why };
  return { t: (key: string, params = {}) => fill(en[key]!, params) };
});

beforeAll(() => {
  vi.stubGlobal("ResizeObserver", class { observe(): void {} unobserve(): void {} disconnect(): void {} });
});
afterEach(cleanup);

const shown = film("rnn");
const grid = NetworkGrid.of(shown.trace)!;
const weight = shown.trace.node("rnn.weight_hh_l0").id;

function show(selection: Target | null, moment = shown.length, more: Partial<Session> = {}): { select: ReturnType<typeof vi.fn> } {
  const select = vi.fn();
  render(Inspector, { session: { film: shown, trace: shown.trace, selection, moment, example: 0, afterStep: null, steps: 5, select, breakpoints: new Breakpoints(), ...more } as unknown as Session });
  return { select };
}

const data = (id: string): number => Number(screen.getByTestId(id).getAttribute("data-value"));

describe("the inspector", () => {
  it("shows a shared weight: number, rows, and their sum, all digits kept", () => {
    show({ kind: "gradient", node: weight, index: [0, 2] });
    const stored = shown.trace.gradient(weight)!.at([0, 2]);
    expect(data("why-value")).toBe(stored);
    expect(data("why-sum")).toBe(stored);
    expect([0, 1, 2, 3, 4].reduce((sum, i) => sum + data(`why-row-${i}`), 0)).toBe(stored);
    expect(screen.getByTestId("why-title").querySelector("math")).not.toBeNull();
    expect(screen.getByText("sum of 5 shares").tagName).toBe("B");
  });

  it("gives all digits to the clipboard, whatever is shown of a number", () => {
    show({ kind: "gradient", node: weight, index: [0, 2] });
    const shown = screen.getByTestId("why-value");
    document.getSelection()!.selectAllChildren(shown);
    const setData = vi.fn();
    fireEvent(shown, Object.assign(new Event("copy", { bubbles: true, cancelable: true }), { clipboardData: { setData } }));
    expect(setData).toHaveBeenCalledWith("text/plain", shown.dataset.value);
    document.getSelection()!.removeAllRanges();
    shown.focus();
    expect([document.activeElement, shown.dataset.value]).toEqual([shown, shown.dataset.value]);
    setData.mockClear();
    fireEvent(shown, Object.assign(new Event("copy", { bubbles: true, cancelable: true }), { clipboardData: { setData } }));
    expect(setData).toHaveBeenCalledWith("text/plain", shown.dataset.value);
  });

  it("says what has not arrived", () => {
    show({ kind: "gradient", node: weight, index: [0, 2] }, shown.contributions(weight)[2]!.arrived + 1);
    expect(screen.getByText("so far")).toBeTruthy();
    expect(screen.getByText("next")).toBeTruthy();
    expect(screen.getByText("when the sum is complete")).toBeTruthy();
    expect(screen.getByTestId("why-row-3").getAttribute("data-value")).toBe("");
  });

  it("says what is not computed yet", () => {
    show({ kind: "value", node: grid.column(3)!.h, index: [0, 1] }, 0);
    expect(screen.getByTestId("why-value").getAttribute("data-value")).toBe("");
    expect(screen.getByText("not come this far")).toBeTruthy();
  });

  it("explains a row that is tapped", async () => {
    const { select } = show({ kind: "value", node: grid.column(3)!.h, index: [0, 1] });
    await fireEvent.click(screen.getByTestId("why-row-2"));
    expect(select).toHaveBeenCalledWith({ kind: "value", node: grid.column(2)!.h, index: [0, 0] });
  });

  it("takes an update apart", () => {
    show({ kind: "update", node: weight, index: [0, 2] });
    expect(data("why-value")).toBe(shown.value(weight, shown.length)!.at([0, 2]));
    expect(screen.getByText("adaptive step", { selector: "th span" })).toBeTruthy();
    expect(screen.getByRole("img").getAttribute("aria-label")).toMatch(/^from .* to /);
    for (const header of screen.getAllByRole("rowheader")) expect(header.textContent).not.toBe("");
  });

  it("explains what the forward pass with the new parameters has come by with these, and a parameter by its update", () => {
    const h2: Target = { kind: "value", node: grid.column(2)!.h, index: [0, 1] };
    const fresh = shown.trace.after!.values.get(h2.node)!.at(h2.index);
    show(h2, shown.length, { afterStep: 2 });
    expect([data("why-value"), screen.queryAllByText(/^forward again/).length]).toEqual([fresh, 1]);
    cleanup();
    show(h2, shown.length, { afterStep: 1 });
    expect([data("why-value"), screen.queryAllByText(/^forward again/).length]).toEqual([shown.trace.value(h2.node).at(h2.index), 0]);
    cleanup();
    show({ kind: "value", node: weight, index: [0, 2] }, shown.length, { afterStep: 5 });
    expect(screen.getByText("adaptive step", { selector: "th span" })).toBeTruthy();
    expect(screen.queryByText(/^forward again/)).toBeNull();
  });

  it("checks by finite differences on request, and says when that fails", async () => {
    const check = vi.fn().mockResolvedValueOnce({ gradient: 1, finite_difference: 0.25, difference: 1e-10, epsilon: 1e-5, error: 1e-10 });
    const target: Target = { kind: "gradient", node: weight, index: [0, 2] };
    show(target, shown.length, { check });
    await fireEvent.click(screen.getByTestId("why-check"));
    await vi.waitFor(() => expect(screen.getByText(/✓ \|Δ\| 1·10⁻¹⁰/)).toBeTruthy());
    expect(check).toHaveBeenCalledWith(target);
    expect(data("why-check")).toBe(0.25);
    cleanup();
    show(target, shown.length, { check: vi.fn().mockResolvedValue({ gradient: 3e-11, finite_difference: 5e-11, difference: 2e-11, epsilon: 1e-5, error: 6e-11 }) });
    await fireEvent.click(screen.getByTestId("why-check"));
    await vi.waitFor(() => expect(screen.getByTestId("why-unresolved").textContent).toContain("too small to be resolved"));
    cleanup();
    show(target, shown.length, { check: vi.fn().mockRejectedValue(new Error("the server is busy")) });
    await fireEvent.click(screen.getByTestId("why-check"));
    await vi.waitFor(() => expect(screen.getByText(/the server is busy/)).toBeTruthy());
  });

  it("takes each rung of an update apart, and goes back by Escape or once more", async () => {
    const whole: Target = { kind: "update", node: weight, index: [0, 2] };
    const { select } = show(whole);
    await fireEvent.click(screen.getByTestId("rung-exp_avg"));
    expect(select).toHaveBeenLastCalledWith({ ...whole, term: "exp_avg" });
    await fireEvent.click(screen.getByTestId("rung-gradient"));
    expect(select).toHaveBeenLastCalledWith({ ...whole, kind: "gradient" });
    cleanup();
    const term = show({ ...whole, term: "exp_avg" });
    const { terms } = shown.update(weight)!;
    expect(data("why-value")).toBe(terms.get("exp_avg")!.at([0, 2]));
    expect([screen.getByTestId("rung-exp_avg").getAttribute("aria-pressed"), screen.getByTestId("rung-new").getAttribute("aria-pressed")]).toEqual(["true", "false"]);
    expect(screen.getByText(/first moment before/)).toBeTruthy();
    expect(screen.queryByTestId("levers")).toBeNull();
    await fireEvent.keyDown(screen.getByTestId("rung-exp_avg"), { key: "Escape" });
    expect(term.select).toHaveBeenLastCalledWith(whole);
    await fireEvent.click(screen.getByTestId("rung-exp_avg"));
    expect(term.select).toHaveBeenLastCalledWith(whole);
  });

  it("checks the gradient of an update, and both gradients of a hop", async () => {
    const check = vi.fn(async (target: Target) => {
      const gradient = shown.trace.gradient(target.node)!.at(target.index);
      return { schema_version: 1 as const, gradient, finite_difference: gradient * (1 + 1e-9), difference: gradient * 1e-9, epsilon: 1e-5, error: Math.abs(gradient) * 1e-8 };
    });
    show({ kind: "update", node: weight, index: [0, 2], term: "exp_avg" }, shown.length, { check });
    await fireEvent.click(screen.getByTestId("why-check"));
    await vi.waitFor(() => expect(screen.getByText(/✓/)).toBeTruthy());
    expect(check.mock.calls).toEqual([[{ kind: "gradient", node: weight, index: [0, 2] }]]);
    cleanup();
    check.mockClear();
    show({ kind: "hop", node: grid.column(3)!.h, index: [0, 0] }, shown.length, { check, grid });
    await fireEvent.click(screen.getByTestId("why-check"));
    await vi.waitFor(() => expect(screen.getByText(/✓/)).toBeTruthy());
    expect(new Set(check.mock.calls.map(([target]) => target.node))).toEqual(new Set([grid.column(3)!.h, grid.column(4)!.h]));
    expect(data("why-check")).toBeCloseTo(data("why-value"), 12);
  });

  it("invites a tap while nothing is chosen", () => {
    show(null);
    expect(screen.getByText("why?").tagName).toBe("B");
  });
});
