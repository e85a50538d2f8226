import { Recent } from "../model/recent";

/** Sizes found before, by the shape of the formula and its place: to measure costs a layout, at every step of a film. */
const known = new Recent<string, number>(500);

if (typeof document !== "undefined") document.fonts?.addEventListener("loadingdone", () => known.clear());

/** Sets `--fit` (px) so that a formula is no wider than its place. `tex` is what it shows; formulas that differ in digits alone are of one width. */
export function fit(node: HTMLElement, given: { tex: string; size: number; least: number }) {
  let { tex, size, least } = given;
  let width = 0;

  function measured(): number {
    node.style.setProperty("--fit", `${size}px`);
    const inner = node.firstElementChild;
    if (!inner || node.clientWidth === 0) return size;
    const ratio = node.clientWidth / Math.max(inner.getBoundingClientRect().width, inner.scrollWidth, node.scrollWidth);
    return ratio < 1 ? Math.max(least, size * ratio * 0.99) : size;
  }

  function apply(): void {
    const shape = `${tex.replace(/\d/g, "0")} ${size} ${least} ${width}`;
    let fitted = known.get(shape);
    if (fitted === undefined) {
      fitted = measured();
      if (width > 0) known.set(shape, fitted);
    }
    const text = `${fitted}px`;
    if (node.style.getPropertyValue("--fit") !== text) node.style.setProperty("--fit", text);
  }

  const observer = new ResizeObserver(([entry]) => {
    width = Math.round(entry?.contentRect.width ?? 0);
    apply();
  });
  observer.observe(node);
  apply();
  return {
    update(next: { tex: string; size: number; least: number }) {
      ({ tex, size, least } = next);
      apply();
    },
    destroy: () => observer.disconnect(),
  };
}
