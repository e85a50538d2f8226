import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { beatLength, createPlayer } from "./play";

function film(stops: number[], start = 0) {
  const state = { moment: start, visited: [] as number[], ended: 0 };
  const player = createPlayer({
    moment: () => state.moment,
    stops: () => stops,
    onMoment: (moment) => {
      state.moment = moment;
      state.visited.push(moment);
    },
    onEnd: () => (state.ended += 1),
  });
  return { state, player };
}

describe("createPlayer", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("visits every stop in order and then says that the film has ended, once", () => {
    const { state, player } = film([0, 3, 7, 9]);
    player.play();
    vi.runAllTimers();
    expect(state.visited).toEqual([3, 7, 9]);
    expect(state.ended).toBe(1);
  });

  it("begins at the moment it finds, also between two stops", () => {
    const { state, player } = film([0, 3, 7, 9], 4);
    player.play();
    vi.runAllTimers();
    expect(state.visited).toEqual([7, 9]);
  });

  it("does nothing more after a pause, and goes on from there when played again", () => {
    const { state, player } = film([0, 3, 7]);
    player.play();
    vi.advanceTimersToNextTimer();
    player.pause();
    vi.runAllTimers();
    expect([state.visited, state.ended]).toEqual([[3], 0]);
    player.play();
    vi.runAllTimers();
    expect([state.visited, state.ended]).toEqual([[3, 7], 1]);
  });

  it("runs once however often play is pressed", () => {
    const { state, player } = film([0, 1, 2]);
    player.play();
    player.play();
    vi.runAllTimers();
    expect([state.visited, state.ended]).toEqual([[1, 2], 1]);
  });
});

describe("breakpoints and speed", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("ends for now at a breakpoint, also between two stops, and goes on from there", () => {
    const state = { moment: 0, visited: [] as number[], broken: 0 };
    const player = createPlayer({
      moment: () => state.moment, stops: () => [0, 3, 7, 9], breaks: () => [5, 6],
      onMoment: (moment) => state.visited.push((state.moment = moment)), onBreak: () => (state.broken += 1), onEnd: () => undefined,
    });
    player.play();
    vi.runAllTimers();
    expect([state.visited, state.broken]).toEqual([[3, 5], 1]);
    player.play();
    vi.runAllTimers();
    player.play();
    vi.runAllTimers();
    expect([state.visited, state.broken]).toEqual([[3, 5, 6, 7, 9], 2]);
  });

  it("plays so many times as fast", () => {
    let moment = 0;
    const player = createPlayer({ moment: () => moment, stops: () => [0, 1, 2], speed: () => 4, onMoment: (at) => (moment = at), onEnd: () => undefined });
    player.play();
    vi.advanceTimersByTime(beatLength(3) / 4 - 1);
    expect(moment).toBe(0);
    vi.advanceTimersByTime(1);
    expect(moment).toBe(1);
    player.pause();
  });
});

describe("beatLength", () => {
  it("rests longest in short films, shortest in long ones", () => {
    expect([5, 10_000, 101].map(beatLength)).toEqual([1300, 90, 280]);
  });
});
