// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/svelte";
import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Session } from "../app/session.svelte";
import { document as fixture } from "../model/fixtures";
import { gradientNorm, NetworkGrid, norm, shares } from "../model/network";
import { Trace } from "../model/trace";
import Transport from "../transport/Transport.svelte";
import Tray from "../tray/Tray.svelte";
import Stage from "./Stage.svelte";

vi.setConfig({ testTimeout: 30_000 }); // happy-dom is slow with hundreds of nodes, and the machine may be busy

const TOKENS = { "--value-pos": "#2F7FD0", "--value-neg": "#D9730D", "--value-zero": "#F2F2F2", "--tile-dark": "#050505", "--tile-light": "#FFFFFF" };

function open(name: "rnn" | "gru" | "lstm" | "rnn-batch"): { session: Session; grid: NetworkGrid } {
  const session = new Session();
  session.load(Trace.from(fixture(name)));
  render(Stage, { session });
  render(Tray, { session });
  render(Transport, { session });
  flushSync();
  return { session, grid: session.grid! };
}

const number = (testid: string): number => Number(screen.getByTestId(testid).dataset.value);

beforeEach(() => {
  for (const [name, value] of Object.entries(TOKENS)) document.documentElement.style.setProperty(name, value);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(880); // happy-dom lays nothing out
  vi.stubGlobal("matchMedia", () => ({ matches: true, addEventListener: () => undefined, removeEventListener: () => undefined }));
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("stage, transport and tray together", () => {
  it("show a state once it is known, to the last digit", async () => {
    const { session, grid } = open("rnn");
    expect(screen.getByTestId("tile-h-1-0").dataset.value).toBeUndefined();
    await fireEvent.click(screen.getByTestId("step-forward"));
    for (let i = 0; i < 4; i++) expect(number(`tile-h-1-${i}`)).toBe(session.trace!.value(grid.column(1)!.h).flat(i));
    expect(screen.getByTestId("tile-h-2-0").dataset.value).toBeUndefined();
  });

  it("show gradients, hop factors and shares as they arrive", () => {
    const { session, grid } = open("rnn");
    const film = session.film!;
    session.go(film.phases.find((span) => span.phase === "backward")!.to);
    flushSync();
    for (let t = 1; t <= 5; t++) {
      expect(number(`lane-h-${t}-2`)).toBe(session.trace!.gradient(grid.column(t)!.h)!.flat(2));
      expect(number(`norm-${t}`)).toBe(gradientNorm(film, grid, t, 0, session.moment));
    }
    expect(number("hop-h-5")).toBe(gradientNorm(film, grid, 4, 0, session.moment)! / gradientNorm(film, grid, 5, 0, session.moment)!);
    const weight = grid.parameter("weight_hh_l0")!.node;
    const along = shares(film, weight, session.moment).map((share) => number(`along-${share.t}`));
    expect(along.reduce((a, b) => a + b, 0)).toBeCloseTo(norm(session.trace!.gradient(weight)!.data), 10);
  });

  it("select what is clicked: a tile its value, a lane its gradient, a badge the parameter everywhere", async () => {
    const { session, grid } = open("rnn");
    session.last();
    session.previous();
    flushSync();
    await fireEvent.click(screen.getByTestId("tile-h-3-1"));
    expect(session.selection).toEqual({ kind: "value", node: grid.column(3)!.h, index: [0, 1] });
    await fireEvent.click(screen.getByTestId("lane-h-3-1"));
    expect(session.selection).toEqual({ kind: "gradient", node: grid.column(3)!.h, index: [0, 1] });
    await fireEvent.click(screen.getByTestId("badge-rnn.weight_ih_l0-2"));
    expect(session.selection!.node).toBe(grid.parameter("weight_ih_l0")!.node);
    for (let t = 1; t <= 5; t++) expect(screen.getByTestId(`badge-rnn.weight_ih_l0-${t}`).getAttribute("aria-pressed")).toBe("true");
    await fireEvent.click(screen.getByTestId("loss-value"));
    expect(session.selection).toEqual({ kind: "value", node: grid.loss, index: [] });
  });

  it.each(["rnn", "gru", "lstm"] as const)("open a cell in place and close it again (%s); the tray folds meanwhile", async (name) => {
    const { session, grid } = open(name);
    session.go(session.film!.length - 1);
    flushSync();
    await fireEvent.click(screen.getByTestId("cell-2"));
    expect([session.opened, session.focus]).toEqual([true, 2]);
    expect(screen.getByTestId("open-cell")).toBeTruthy();
    expect(number("tile-h-2-0")).toBe(session.trace!.value(grid.column(2)!.h).flat(0));
    expect(screen.queryByTestId("share-1")).toBeNull();
    await fireEvent.click(screen.getByTestId("cell-2"));
    expect(session.opened).toBe(false);
    await fireEvent.click(screen.getByTestId("open-3"));
    expect([session.opened, session.focus]).toEqual([true, 3]);
    await fireEvent.keyDown(document.body, { key: "Escape" });
    expect(session.opened).toBe(false);
  });

  it("step by keys, both ways, and by event with shift", async () => {
    const { session } = open("gru");
    await fireEvent.keyDown(document.body, { key: "ArrowRight" });
    const cell = session.moment;
    expect(session.stops).toContain(cell);
    await fireEvent.keyDown(document.body, { key: "ArrowRight", shiftKey: true });
    expect(session.moment).toBe(cell + 1);
    await fireEvent.keyDown(document.body, { key: "ArrowLeft" });
    expect(session.moment).toBe(cell);
    await fireEvent.keyDown(document.body, { key: "End" });
    expect(screen.getByTestId("moment").textContent).toBe(`${session.film!.length} / ${session.film!.length}`);
    await fireEvent.keyDown(document.body, { key: "Home" });
    expect(session.moment).toBe(0);
  });

  it("run forward again with the new parameters after the film", () => {
    const { session, grid } = open("rnn");
    const before = session.trace!.value(grid.loss).flat(0);
    session.last();
    flushSync();
    expect(number("loss-value")).toBe(session.trace!.after!.values.get(grid.loss)!.flat(0));
    expect(number("loss-value")).not.toBe(before);
    expect(number("tile-h-5-0")).toBe(session.trace!.after!.values.get(grid.column(5)!.h)!.flat(0));
  });

  it("show every tray at every moment of a batch without failing", () => {
    const { session } = open("rnn-batch");
    for (const tab of ["gradient", "bptt", "parameters", "curves"] as const) {
      session.tab = tab;
      for (const moment of [0, 7, session.film!.phases.at(-1)!.from, session.film!.length]) {
        session.go(moment);
        session.example = (session.example + 1) % session.grid!.examples.length;
        flushSync();
        expect(screen.getByTestId(`tab-${tab}`).getAttribute("aria-pressed")).toBe("true");
      }
    }
  });
});
