// @vitest-environment happy-dom
import { flushSync } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { document as fixture } from "../model/fixtures";
import { Trace } from "../model/trace";
import { Session } from "./session.svelte";

let reduced = false;
let low = false;

beforeEach(() => {
  vi.useFakeTimers();
  [reduced, low] = [false, false];
  vi.stubGlobal("matchMedia", (query: string) => ({ matches: query.includes("reduced-motion") ? reduced : low, addEventListener: vi.fn(), removeEventListener: vi.fn() }));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function open(name: "rnn" | "rnn-batch" | "scalar"): Session {
  const session = new Session();
  session.load(Trace.from(fixture(name)));
  return session;
}

describe("the forward pass with the new parameters", () => {
  it("is one more stop after the last event: forward reaches it and stays, back only leaves it", () => {
    const session = open("rnn");
    const end = session.film!.length;
    session.go(end);
    expect([session.after, session.atEnd]).toEqual([false, false]);
    session.next();
    expect([session.moment, session.afterStep, session.atEnd]).toEqual([end, 5, true]);
    session.next();
    expect([session.moment, session.after]).toEqual([end, true]);
    session.previous();
    expect([session.moment, session.after]).toEqual([end, false]);
    session.previous();
    expect(session.moment).toBeLessThan(end);
  });

  it("is reached by events, phases and End as well", () => {
    const session = open("rnn");
    for (const stride of ["event", "phase"] as const) {
      session.setStride(stride);
      session.first();
      for (let presses = 0; !session.atEnd; presses++) {
        expect(presses).toBeLessThanOrEqual(session.film!.length);
        session.next();
      }
      expect(session.after).toBe(true);
    }
    session.first();
    session.last();
    expect(session.after).toBe(true);
  });

  it("does not exist where nothing was computed with new parameters", () => {
    const session = open("scalar");
    session.last();
    expect([session.after, session.atEnd]).toEqual([false, true]);
  });

  it("runs a column at a time after a film that has played, and is completed by the first thing that is chosen", () => {
    const session = open("rnn");
    session.go(session.film!.length - 1);
    session.play();
    while (!session.after) vi.advanceTimersToNextTimer();
    expect([session.playing, session.afterStep]).toEqual([false, 0]);
    vi.advanceTimersByTime(1000);
    expect(session.afterStep).toBe(2);
    session.select({ kind: "value", node: session.grid!.column(5)!.h, index: [0, 0] });
    expect(session.afterStep).toBe(5); // so that the tile shows the number that the inspector explains
    vi.advanceTimersByTime(10_000);
    expect(session.afterStep).toBe(5);
  });

  it("stands at once where motion is not wanted", () => {
    reduced = true;
    const session = open("rnn");
    session.go(session.film!.length - 1);
    session.play();
    vi.runAllTimers();
    expect(session.afterStep).toBe(5);
  });

  it("is played when the film stands at its last event; from there the film begins again", () => {
    const session = open("rnn");
    session.go(session.film!.length);
    session.play();
    expect(session.moment).toBe(session.film!.length);
    vi.runAllTimers();
    expect(session.afterStep).toBe(5);
    session.play();
    expect([session.moment, session.after]).toEqual([0, false]);
    session.pause();
  });
});

describe("the opened step", () => {
  it("is one that the example has, also after another film is loaded", () => {
    const session = open("rnn-batch");
    session.toggleCell(5);
    session.example = 2; // four letters
    expect([session.focus, session.opened]).toEqual([4, true]);
    session.toggleCell(4);
    expect(session.opened).toBe(false);
    session.toggleCell(4);
    session.load(Trace.from(fixture("scalar")));
    expect([session.focus, session.opened]).toEqual([null, false]);
  });
});

describe("the tray", () => {
  it("folds while a cell is open, and in a low window until it is asked for", () => {
    const session = open("rnn");
    expect(session.folded).toBe(false);
    session.toggleCell(2);
    expect(session.folded).toBe(true);
    session.chooseTab("gradient");
    expect([session.folded, session.tab, session.opened]).toEqual([false, "gradient", false]);

    low = true;
    const other = open("rnn");
    flushSync();
    expect(other.folded).toBe(true);
    other.chooseTab("bptt");
    expect(other.folded).toBe(false);
    other.chooseTab("bptt");
    expect(other.folded).toBe(true);
  });
});
