/** What numbers of the stage are called by those who hear it: the symbol in words, the step, the element. */
import { t } from "../i18n/index.svelte";
import type { Chain, NetworkGrid } from "../model/network";
import type { Stack } from "../model/stack";

const WORDS: Record<string, string> = {
  h: "stage.word.h", c: "stage.word.c", a: "stage.word.a", i: "stage.word.i", f: "stage.word.f", g: "stage.word.g", o: "stage.word.o",
  r: "stage.word.r", z: "stage.word.z", n: "stage.word.n", W: "stage.word.w", b_ih: "stage.word.b_ih", b_hh: "stage.word.b_hh",
};
const PARTS: Record<string, string> = { x: "stage.word.part_x", h: "stage.word.part_h", a: "stage.word.part_a" };
const PRODUCTS: Record<string, string> = { Wx: "a:x", Wh: "a:h" };

/** `key` is that of an opened cell's column: a state or a gate (`h`, `r`), what enters a gate (`r:x`), a state of the step before (`h_before`). */
function symbolWords(key: string): string {
  const [name, part] = (PRODUCTS[key] ?? key).split(":") as [string, string?];
  const words = t(WORDS[name]!);
  return part ? t(PARTS[part]!, { name: words }) : words;
}

/** The element `index` of `key` at step `time` (of its value, or of the gradient with respect to it). Parameters belong to no step. */
export function elementName(key: string, time: number | null, index: readonly number[], kind: "value" | "gradient" = "value"): string {
  const before = key.endsWith("_before");
  const name = `${symbolWords(key.replace("_before", ""))}[${index.join(", ")}]`;
  const whole = time === null ? name : t("stage.word.at", { name, t: before ? time - 1 : time });
  return kind === "value" ? whole : t("stage.word.gradient", { name: whole });
}

/** The layer and direction of a chain in words: "layer 2, backwards"; "" where there is but one. */
export function placeName(chain: Chain, { layers, bidirectional }: Stack): string {
  const layer = layers > 1 ? t("stage.place.layer", { layer: chain.layer + 1 }) : "";
  const direction = bidirectional ? t(chain.reverse ? "stage.place.reverse" : "stage.place.forward") : "";
  return layer && direction ? t("stage.place.both", { layer, direction }) : layer || direction;
}

/** A name with its layer and direction, where there are several. */
export function inPlace(name: string, grid: NetworkGrid): string {
  const place = placeName(grid.shown, grid.stack);
  return place ? t("stage.place.of", { name, place }) : name;
}

/** What tells the test ids of one chain from those of another: nothing where there is but one. */
export const placeId = (grid: NetworkGrid): string => (grid.chains.length > 1 ? `${grid.shown.suffix}-` : "");

/** The whole vector. */
export const elementsName = (key: string, time: number): string => t("stage.word.at", { name: symbolWords(key), t: time });

/** A short formula as it reads without its braces: `W_{\mathrm{hh}}` is "Whh", `\overleftarrow{W}^{[2]}_{\mathrm{hh}}` "W←hh[2]", as it is drawn. */
export function plain(tex: string): string {
  const marked = /^(?:\\over(left|right)arrow)?\{?(\w)\}?(?:\^\{(\[\d+\])\})?_\{\\mathrm\{(\w+)\}\}$/.exec(tex);
  if (!marked) return tex.replace(/\\mathrm|[{}_\\\s]/g, "");
  const [, direction, symbol, layer = "", part] = marked;
  return symbol! + (direction ? (direction === "left" ? "\u2190" : "\u2192") : "") + part! + layer;
}
