/** The value colours of the theme that is shown; reading them in a component or an effect follows the theme. */
import { createSubscriber } from "svelte/reactivity";
import { parseColour, type Palette } from "./palette";

const follow = createSubscriber((update) => {
  const observer = new MutationObserver(update);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "data-contrast"] });
  return () => observer.disconnect();
});

export function palette(): Palette {
  follow();
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => parseColour(style.getPropertyValue(name));
  return {
    positive: token("--value-pos"),
    negative: token("--value-neg"),
    zero: token("--value-zero"),
    dark: token("--tile-dark"),
    light: token("--tile-light"),
  };
}
