import { describe, expect, it } from "vitest";
import { film } from "../model/fixtures";
import { beats, stops } from "../model/stops";
import { Timeline, type Place } from "./sync";

const films = [film("rnn"), film("lstm"), film("gru")];
const timeline = new Timeline(films);
const START: Place = { point: 0, inner: 0 };

describe("the points of several films", () => {
  it("stand there once each, in the order of every film", () => {
    const names = timeline.points.map(({ phase, what, time, parameter }) => [phase, what, time, parameter].join(" "));
    expect(new Set(names).size).toBe(names.length);
    for (const one of films) {
      const own = beats(one).map(({ phase, what, time, parameter }) => [phase, what, time, parameter === undefined ? null : one.trace.nodes[parameter]!.path].join(" "));
      const places = own.map((name) => names.indexOf(name));
      expect(places).not.toContain(-1);
      expect(places).toEqual([...places].sort((a, b) => a - b));
    }
  });

  it("lead every film from its beginning to its end, and never back", () => {
    timeline.ends.forEach((ends, f) => {
      expect(ends[0]).toBe(0);
      expect(ends.at(-1)).toBe(films[f]!.length);
      for (let p = 1; p < ends.length; p++) expect(ends[p]).toBeGreaterThanOrEqual(ends[p - 1]!);
    });
  });

  it("find all films at the same phase and time step, though their events differ in number", () => {
    expect(new Set(films.map((one) => one.length)).size).toBe(3);
    timeline.points.forEach((point, p) => {
      if (point.time === null) return;
      timeline.moments({ point: p + 1, inner: 0 }, 0).forEach((moment, f) => {
        if (timeline.events(f, p) === 0) return; // it waits
        const done = beats(films[f]!).find((beat) => beat.to === moment)!;
        expect([done.phase, done.time]).toEqual([point.phase, point.time]);
      });
    });
  });

  it("that only a longer film has are waited for by the others", () => {
    const [short, long] = [film("rnn"), film("lstm")];
    const both = new Timeline([short, long]);
    const last = (one: typeof short): number => Math.max(...one.trace.nodes.map((node) => node.time ?? 0));
    const [less, more] = [last(short), last(long)].sort((a, b) => a - b) as [number, number];
    expect(less).toBeLessThan(more);
    const waits = both.points.findIndex((point) => point.phase === "forward" && point.time === less + 1);
    const shorter = last(short) < last(long) ? 0 : 1;
    expect(both.events(shorter, waits)).toBe(0);
    expect(both.events(1 - shorter, waits)).toBeGreaterThan(0);
    expect(both.points.filter((point) => point.what === "step" && point.phase === "backward").map((point) => point.time)).toEqual(Array.from({ length: more }, (_, i) => more - i));
  });
});

describe("steps of the one transport", () => {
  it("go forth and back over the same cells", () => {
    const places = [START];
    while (places.at(-1)!.point < timeline.length) places.push(timeline.next(places.at(-1)!, "cell", 0));
    expect(places).toHaveLength(timeline.length + 1);
    for (let k = places.length - 1; k > 0; k--) expect(timeline.previous(places[k]!, "cell", 0)).toEqual(places[k - 1]);
    expect(timeline.previous(START, "cell", 0)).toEqual(START);
    expect(timeline.next(places.at(-1)!, "cell", 0)).toEqual(places.at(-1));
  });

  it("go by phase to the end of each", () => {
    let place = START;
    const phases: string[] = [];
    while (place.point < timeline.length) {
      place = timeline.next(place, "phase", 1);
      phases.push(timeline.points[place.point - 1]!.phase);
    }
    expect(phases).toEqual(["forward", "loss", "backward", "update"]);
    expect(timeline.previous(place, "phase", 1).point).toBe(timeline.phases().at(-2));
  });

  it("by event go through every event of the film that is followed, forth and back; the others wait for its cell", () => {
    const followed = 1;
    let place = START;
    const seen: number[] = [];
    for (let n = 0; place.point < timeline.length; n++) {
      const before = timeline.moments(place, followed);
      place = timeline.next(place, "event", followed);
      const after = timeline.moments(place, followed);
      seen.push(after[followed]!);
      if (place.inner > 0) expect(after.filter((_, f) => f !== followed)).toEqual(before.filter((_, f) => f !== followed));
      expect(n).toBeLessThan(5000);
    }
    expect([...new Set(seen)]).toEqual(Array.from({ length: films[followed]!.length }, (_, i) => i + 1));
    for (const moment of [0, ...seen.slice(0, -1)].toReversed()) {
      place = timeline.previous(place, "event", followed);
      expect(timeline.moments(place, followed)[followed]).toBe(moment);
    }
  });

  it("by op stop where an op of the film that is followed is done, and where all meet", () => {
    const followed = 2;
    const own = stops(films[followed]!, "op");
    const seen: number[] = [];
    for (let place = START; place.point < timeline.length; ) {
      place = timeline.next(place, "op", followed);
      if (timeline.moments(place, followed)[followed] !== seen.at(-1)) seen.push(timeline.moments(place, followed)[followed]!);
      if (place.inner > 0) expect(own).toContain(seen.at(-1));
    }
    expect(seen.filter((moment) => own.includes(moment))).toEqual(own.slice(1));
    expect(seen.length).toBeLessThan(films[followed]!.length);
    expect(timeline.previous(timeline.next(START, "op", followed), "op", followed)).toEqual(START);
  });

  it("find the place of a moment again", () => {
    for (let moment = 0; moment <= films[2]!.length; moment++) {
      const place = timeline.placeOf(2, moment);
      expect(timeline.moments(place, 2)[2]).toBe(moment);
      expect(timeline.placeAt(timeline.numberOf(place, 2), 2)).toEqual(place);
    }
  });
});
