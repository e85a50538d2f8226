/** The colour of a score: from the faint ink of the worst to the first colour of runs for the best. */
import { css, mix, parseColour, type Palette } from "../../../stage/palette";

export function ramp(style: Pick<CSSStyleDeclaration, "getPropertyValue">): (merit: number | null) => string {
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const [worst, best] = [parseColour(token("--line-2")), parseColour(token("--series-1"))];
  const palette: Palette = { positive: best, negative: best, zero: worst, dark: best, light: worst };
  return (merit) => (merit === null ? token("--line-3") : css(mix(palette, 0.15 + 0.85 * merit)));
}
