/** Plays a film from stop to stop. Knows no state of its own but the timer: where the film stands, and where it may stop, it asks each time. */
import { nextStop } from "../model/stops";

export interface PlayerOptions {
  /** How many events have happened. */
  moment(): number;
  /** Ascending moments at which the film may stop; the last one is its end. */
  stops(): readonly number[];
  /** Ascending moments at which playing ends for now: those after an event that touches a breakpoint. */
  breaks?(): readonly number[];
  /** Times the usual pace. */
  speed?(): number;
  onMoment(moment: number): void;
  /** Playing has come to a breakpoint, and has ended there. */
  onBreak?(): void;
  /** The film has ended (not: was paused). */
  onEnd(): void;
}

export interface Player {
  play(): void;
  pause(): void;
}

const FILM = 28_000; // a whole film takes about this long (ms) …
const SHORTEST = 90; // … but no beat is shorter than this,
const LONGEST = 1_300; // … or longer than this

/** How long a film of `stops` stops rests at each of them, in ms. */
export function beatLength(stops: number): number {
  const beats = Math.max(1, stops - 1);
  return Math.min(LONGEST, Math.max(SHORTEST, FILM / beats));
}

export function createPlayer(options: PlayerOptions): Player {
  let timer: ReturnType<typeof setTimeout> | null = null;

  function pause(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  }

  function wait(): void {
    timer = setTimeout(beat, beatLength(options.stops().length) / (options.speed?.() ?? 1));
  }

  function beat(): void {
    timer = null;
    const stops = options.stops();
    const end = stops.at(-1) ?? 0;
    const moment = options.moment();
    if (moment >= end) {
      options.onEnd();
      return;
    }
    const next = nextStop(stops, moment);
    const stop = options.breaks?.().find((at) => at > moment && at <= next);
    options.onMoment(stop ?? next);
    if (stop !== undefined) options.onBreak?.();
    else wait();
  }

  return {
    play() {
      pause();
      wait();
    },
    pause,
  };
}
