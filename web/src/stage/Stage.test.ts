// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/svelte";
import { flushSync } from "svelte";
import { beforeAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "../api/problem";
import { Session } from "../app/session.svelte";
import { document as fixture } from "../model/fixtures";
import { gradientNorm, NetworkGrid, norm, shares } from "../model/network";
import { Trace } from "../model/trace";
import Transport from "../transport/Transport.svelte";
import { complete } from "../app/later.svelte";
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

beforeAll(complete);

beforeEach(() => {
  for (const [name, value] of Object.entries(TOKENS)) document.documentElement.style.setProperty(name, value);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(880); // happy-dom lays nothing out
  vi.stubGlobal("matchMedia", (query: string) => ({ matches: query.includes("reduced-motion"), addEventListener: () => undefined, removeEventListener: () => undefined }));
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

  it("show each bias of an opened cell with the share of its step, which is delta", async () => {
    const { session, grid } = open("rnn");
    session.go(session.film!.phases.find((span) => span.phase === "backward")!.to);
    flushSync();
    await fireEvent.click(screen.getByTestId("open-1"));
    const delta = session.trace!.gradient(grid.column(1)!.a!)!;
    for (const bias of ["b_ih", "b_hh"]) for (let i = 0; i < 4; i++) expect(number(`open-lane-${bias}-1-${i}`)).toBe(delta.flat(i));
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

  it("hide the gradients of the old parameters beside the values of the new ones", () => {
    const { session } = open("rnn");
    session.go(session.film!.length);
    flushSync();
    expect([screen.queryAllByTestId(/^lane-/).length, screen.queryAllByTestId(/^hop-/).length].every((count) => count > 0)).toBe(true);
    session.next();
    flushSync();
    expect([...screen.queryAllByTestId(/^lane-/), ...screen.queryAllByTestId(/^hop-/)]).toEqual([]);
  });

  it("show no hop factor where every step has a loss of its own", () => {
    const { session } = open("lstm");
    session.tab = "gradient";
    session.go(session.film!.phases.find((span) => span.phase === "backward")!.to);
    flushSync();
    expect(screen.queryAllByTestId(/^hop-/)).toEqual([]);
    expect(document.body.textContent).toContain("Every step has a loss");
    expect(document.body.textContent).not.toContain("On average");
  });

  it("add up in the tray for an example that is shorter than others of its batch", () => {
    const { session, grid } = open("rnn-batch");
    const weight = grid.parameter("weight_hh_l0")!.node;
    session.example = 2; // four letters; others have five
    const backward = session.film!.phases.find((span) => span.phase === "backward")!;
    session.go(backward.to);
    flushSync();
    const along = (): number[] => screen.getAllByTestId(/^along-/).map((bar) => Number(bar.dataset.value ?? 0));
    expect(along()).toHaveLength(5);
    const whole = norm(session.trace!.gradient(weight)!.data);
    expect(along().reduce((a, b) => a + b, 0)).toBeCloseTo(whole, 12);
    expect(number("share-size")).toBeCloseTo(whole, 12);
    expect(screen.getByTestId("share-size").textContent).toContain("the sum of the bars along G");
    expect(document.body.textContent).toContain("of the whole batch of 3");
    expect(screen.getByTestId("loss-value").textContent).toContain("mean of 3");

    for (let moment = backward.to; moment > backward.from; moment = session.moment) {
      session.previous();
      flushSync();
      if (!session.film!.gradient(weight, session.moment)) break;
      expect(number("share-size")).toBeCloseTo(along().reduce((a, b) => a + b, 0), 12);
      expect(screen.getByTestId("share-size").textContent).not.toContain("the sum of the bars");
    }
  });

  it("say whether gradients were clipped", () => {
    for (const [coefficient, word] of [[0.5, "clipped"], [1, "not clipped"]] as const) {
      const { session } = open("rnn");
      const { event } = session.film!.clip!;
      Object.assign(session.film!, { clip: { ...session.film!.clip!, coefficient } });
      session.go(event);
      flushSync();
      expect(screen.getByTestId("clip").textContent).toBe("next: clip");
      session.go(event + 1);
      flushSync();
      expect(screen.getByTestId("clip").textContent).toBe(word);
      cleanup();
    }
  });

  it("leave a film that an error hides where it is", async () => {
    const { session } = open("rnn");
    session.go(3);
    session.fail(new Problem("unexpected", "", 0));
    flushSync();
    await fireEvent.keyDown(document.body, { key: "ArrowRight" });
    await fireEvent.keyDown(document.body, { key: "End" });
    expect(session.moment).toBe(3);
  });

  it("give every number a name of its own in words, with the text that is seen in it", () => {
    const { session } = open("gru");
    session.last();
    flushSync();
    expect(screen.getByTestId("tile-h-3-1").getAttribute("aria-label")).toMatch(/^hidden state h\[1\] at t = 3: [+−]0\.\d+$/);
    expect(screen.getByTestId("badge-rnn.weight_hh_l0-2").getAttribute("aria-label")).toMatch(/^Whh: /);
    for (const row of screen.getByTestId("prediction-2").querySelectorAll("button")) expect(row.getAttribute("aria-label")).toContain(row.textContent!.trim());
    session.toggleCell(2);
    flushSync();
    const names = [...document.querySelectorAll(".card.focused .tile")].map((tile) => tile.getAttribute("aria-label")!.split(": ")[0]);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => /[_:]/.test(name!))).toEqual([]);
    expect(names).toContain("part of the hidden state in candidate n[1] at t = 2");
  });

  it("announce the phases alone while the film plays", () => {
    const { session } = open("rnn");
    session.play();
    flushSync();
    expect(screen.getByTestId("caption").getAttribute("aria-live")).toBe("off");
    expect(screen.getByTestId("caption-phase").textContent).toBe("forward");
    session.pause();
    flushSync();
    expect(screen.getByTestId("caption").getAttribute("aria-live")).toBe("polite");
    expect(screen.getByTestId("caption-phase").textContent).toBe("");
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
