/** The canvas's colours of the theme that is shown; reading them in a component or an effect follows the theme. */
import { palette } from "../stage/palette.svelte";
import type { Palette } from "../stage/palette";
import type { Inks } from "./paint";

export function theme(): { colours: Palette; inks: Inks } {
  const colours = palette(); // follows the theme
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const inks = {
    surface: token("--surface"), leaf: token("--bg"), border: token("--line-2"), edge: token("--edge"), idle: token("--edge-idle"),
    gradient: token("--grad"), ink: token("--ink-1"), quiet: token("--ink-3"), font: token("--sans"),
  };
  return { colours, inks };
}
