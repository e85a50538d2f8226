/** The scale of the loupe: asinh, linear near zero and logarithmic beyond, fitted around one number. Bars keep their sign, and zero its place. */
import { superscript } from "../../model/format";
import { largestOf } from "../../model/norm";

export interface LoupeScale {
  /** On both sides of 0 it is linear up to here: the power of ten at or under the size of the number looked at. */
  zone: number;
  /** What reaches the edge. */
  max: number;
}

const DECADES = 6; // beyond the zone: with more, the number itself would be a few pixels long

const exponentOf = (x: number): number => Number(x.toExponential().split("e")[1]);

/** The scale around a number among its neighbours; where it is 0 or no finite number, around the smallest of them. Null: there is nothing but zeros. */
export function loupeScale(around: number, neighbours: readonly (number | null)[]): LoupeScale | null {
  const largest = largestOf([around, ...neighbours]);
  if (largest === 0) return null;
  let centre = Math.abs(around);
  if (centre === 0 || !Number.isFinite(centre)) {
    centre = largest;
    for (const value of neighbours) if (value !== null && value !== 0 && Math.abs(value) < centre) centre = Math.abs(value);
  }
  const zone = Number(`1e${exponentOf(centre)}`) || centre; // a subnormal's power of ten may be 0
  return { zone, max: Math.min(largest, zone * 10 ** DECADES) };
}

/** Where a number stands: 0 in the middle, -1 and 1 at the edges, at which what is beyond them ends. What is no finite number stays so. */
export function loupePlace({ zone, max }: LoupeScale, value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  return Math.max(-1, Math.min(1, Math.asinh(value / zone) / Math.asinh(max / zone)));
}

/** Whether a number goes on beyond the edge. */
export const beyond = ({ max }: LoupeScale, value: number): boolean => Number.isFinite(value) && Math.abs(value) > max;

export interface Tick {
  /** From -1 to 1. */
  place: number;
  /** "" where there is no room for one. */
  text: string;
}

/** How a power of ten is written on an axis. */
export const decade = (exponent: number): string => (exponent >= -1 && exponent <= 2 ? String(10 ** exponent) : `10${superscript(exponent)}`);

/** The zone in words: "10⁻³", or "0.1". */
export const zoneText = ({ zone }: LoupeScale): string => decade(exponentOf(zone));

/** Zero, both ends of the zone and the powers of ten beyond. Labels, from 0 and the ends of the zone outward, are `apart` pixels from each other at least, from the short 0 somewhat less; half an axis is `half` pixels long. */
export function loupeTicks(scale: LoupeScale, half: number, apart: number): Tick[] {
  const first = exponentOf(scale.zone);
  const places: { place: number; text: string }[] = [];
  for (let exponent = first; exponent <= exponentOf(scale.max); exponent++) {
    const size = exponent === first ? scale.zone : Number(`1e${exponent}`);
    if (size <= scale.max) places.push({ place: loupePlace(scale, size), text: decade(exponent) });
  }
  let labelled = 0;
  const right = places.map(({ place, text }) => {
    if ((place - labelled) * half < (labelled === 0 ? 0.6 * apart : apart)) return { place, text: "" };
    labelled = place;
    return { place, text };
  });
  return [...right.toReversed().map(({ place, text }) => ({ place: -place, text: text && `\u2212${text}` })), { place: 0, text: "0" }, ...right];
}
