/**
 * One transport for several films. Their events differ in number, so they meet where they do the same: a point is a phase and a time step
 * (or the read-out, the loss, the clipping, one parameter's update) that one film has at least; the others wait there.
 */
import type { Film } from "../model/film";
import { beats, nextStop, previousStop, stops, type Beat, type Stride } from "../model/stops";
import type { Phase } from "../model/trace";

export interface Point {
  phase: Phase;
  what: Beat["what"];
  time: number | null;
  /** The path of the parameter that moves. */
  parameter: string | null;
}

/** So many points are done, and so many events of the next one in the film that is followed. */
export interface Place {
  point: number;
  inner: number;
}

interface Stretch extends Point {
  key: string;
  to: number;
}

export class Timeline {
  readonly points: readonly Point[];
  /** `ends[film][p]`: the moment at which a film stands once p points are done. */
  readonly ends: readonly (readonly number[])[];
  readonly #films: readonly Film[];
  readonly #stops = new Map<string, readonly number[]>();

  constructor(films: readonly Film[]) {
    this.#films = films;
    const lists = films.map(stretches);
    const merged = lists.reduce((one, other) => merge(one, other), []);
    this.points = merged;
    this.ends = lists.map((list) => {
      const to = new Map(list.map((stretch) => [stretch.key, stretch.to]));
      const ends = [0];
      for (const { key } of merged) ends.push(Math.max(ends.at(-1)!, to.get(key) ?? 0));
      return ends;
    });
  }

  get length(): number {
    return this.points.length;
  }

  /** How many events film f has within the point that follows `point`; 0 where it waits. */
  events(film: number, point: number): number {
    const ends = this.ends[film]!;
    return point < this.length ? ends[point + 1]! - ends[point]! : 0;
  }

  /** The moment of every film. Within a point only the film that is followed has gone on. */
  moments(place: Place, followed: number): number[] {
    return this.ends.map((ends, film) => ends[place.point]! + (film === followed ? place.inner : 0));
  }

  /** Where film f stands at a moment of its own. */
  placeOf(film: number, moment: number): Place {
    const ends = this.ends[film]!;
    let point = 0;
    while (point < this.length && ends[point + 1]! <= moment) point++;
    return { point, inner: moment - ends[point]! };
  }

  /** A place as one number: the points that are done, and the share of the next one's events that the followed film has gone on. */
  numberOf({ point, inner }: Place, followed: number): number {
    return inner === 0 ? point : point + inner / this.events(followed, point);
  }

  placeAt(number: number, followed: number): Place {
    const point = Math.min(this.length, Math.floor(number));
    return { point, inner: Math.round((number - point) * this.events(followed, point)) };
  }

  next(place: Place, stride: Stride, followed: number): Place {
    return this.placeAt(nextStop(this.stops(stride, followed), this.numberOf(place, followed)), followed);
  }

  previous(place: Place, stride: Stride, followed: number): Place {
    return this.placeAt(previousStop(this.stops(stride, followed), this.numberOf(place, followed)), followed);
  }

  /** Where all may stop, as numbers, ascending: after every point or phase; by event and by op of the film that is followed, and after what only others have. */
  stops(stride: Stride, followed: number): readonly number[] {
    if (stride === "phase") return this.phases();
    const key = stride === "cell" ? stride : `${stride} ${followed}`;
    let known = this.#stops.get(key);
    if (!known) this.#stops.set(key, (known = stride === "cell" ? Array.from({ length: this.length + 1 }, (_, point) => point) : this.#within(stride, followed)));
    return known;
  }

  #within(stride: "event" | "op", followed: number): number[] {
    const own = stops(this.#films[followed]!, stride);
    const list = [0];
    let k = 0;
    for (let point = 0; point < this.length; point++) {
      const [from, to] = [this.ends[followed]![point]!, this.ends[followed]![point + 1]!];
      for (; k < own.length && own[k]! < to; k++) if (own[k]! > from) list.push(this.numberOf({ point, inner: own[k]! - from }, followed));
      list.push(point + 1);
    }
    return list;
  }

  /** The numbers of points after which a phase has ended; 0 first. */
  phases(): number[] {
    const ends = [0];
    this.points.forEach((point, p) => {
      if (this.points[p + 1]?.phase !== point.phase) ends.push(p + 1);
    });
    return ends;
  }
}

function stretches(film: Film): Stretch[] {
  const seen = new Map<string, number>();
  return beats(film).map(({ phase, what, time, chain, parameter, to }) => {
    const path = parameter === undefined ? null : film.trace.nodes[parameter]!.path;
    const name = [phase, what, chain ?? "", time ?? "", path ?? ""].join(" ");
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return { key: `${name} ${count}`, phase, what, time, parameter: path, to };
  });
}

/** Both lists in one, each in its own order; what stands in both stands there once. Where their orders contradict, that of the first holds. */
function merge(one: readonly Stretch[], other: readonly Stretch[]): Stretch[] {
  const merged: Stretch[] = [];
  const known = new Set(one.map((stretch) => stretch.key));
  let j = 0;
  const own = (): void => {
    for (; j < other.length && !known.has(other[j]!.key); j++) merged.push(other[j]!);
  };
  for (const stretch of one) {
    own();
    merged.push(stretch);
    // Past everything up to it in the other, where it is there: what only the other has comes before it.
    const at = other.findIndex((candidate, k) => k >= j && candidate.key === stretch.key);
    if (at < 0) continue;
    for (; j < at; j++) if (!known.has(other[j]!.key)) merged.splice(merged.length - 1, 0, other[j]!);
    j = at + 1;
  }
  own();
  for (; j < other.length; j++) if (!known.has(other[j]!.key)) merged.push(other[j]!);
  return merged;
}
