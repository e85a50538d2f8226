/** The fill of a value: a linear mix of the tokens, and the ink that contrasts with it more. Pure; the tokens are read in palette.svelte.ts. */

export type Rgb = readonly [number, number, number];

export interface Palette {
  positive: Rgb;
  negative: Rgb;
  zero: Rgb;
  dark: Rgb;
  light: Rgb;
}

/** `#RRGGBB` or `#RGB`. Throws RangeError for anything else: the tokens are written so. */
export function parseColour(text: string): Rgb {
  const digits = text.trim().replace(/^#/, "");
  const long = digits.length === 3 ? [...digits].map((d) => d + d).join("") : digits;
  if (!/^[0-9a-f]{6}$/i.test(long)) throw new RangeError(`"${text}" is no colour of the form #RRGGBB`);
  return [0, 2, 4].map((at) => Number.parseInt(long.slice(at, at + 2), 16)) as unknown as Rgb;
}

export const css = (colour: Rgb): string => `rgb(${colour.join(",")})`;

/** Zero to +1 goes to the positive colour, to −1 to the negative one; beyond stays there. What is no number has the colour of zero. */
export function mix(palette: Palette, value: number): Rgb {
  const share = Number.isNaN(value) ? 0 : Math.min(1, Math.abs(value));
  const to = value < 0 ? palette.negative : palette.positive;
  return palette.zero.map((zero, i) => Math.round(zero + (to[i]! - zero) * share)) as unknown as Rgb;
}

/** Relative luminance (WCAG 2). */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((part) => {
    const c = part / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export function contrast(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].sort((p, q) => p - q) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** Whichever of the two inks contrasts more. */
export function inkOn(palette: Palette, fill: Rgb): Rgb {
  return contrast(fill, palette.dark) >= contrast(fill, palette.light) ? palette.dark : palette.light;
}

/** A column of values as one background: hard stops, `row` pixels each. */
export function strip(palette: Palette, values: ArrayLike<number>, row: number, direction = "to bottom"): string {
  const stops: string[] = [];
  for (let i = 0; i < values.length; i++) stops.push(`${css(mix(palette, values[i]!))} ${(i * row).toFixed(2)}px ${((i + 1) * row).toFixed(2)}px`);
  return `linear-gradient(${direction}, ${stops.join(", ")})`;
}
