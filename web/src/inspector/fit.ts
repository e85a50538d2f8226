/** Sets `--fit` (px) so that a formula is no wider than its place. `tex` is what it shows: a change measures again. */
export function fit(node: HTMLElement, { size, least }: { tex: string; size: number; least: number }) {
  function measure(): void {
    node.style.setProperty("--fit", `${size}px`);
    const inner = node.firstElementChild;
    if (!inner || node.clientWidth === 0) return;
    const ratio = node.clientWidth / Math.max(inner.getBoundingClientRect().width, inner.scrollWidth, node.scrollWidth);
    if (ratio < 1) node.style.setProperty("--fit", `${Math.max(least, size * ratio * 0.99)}px`);
  }
  const observer = new ResizeObserver(measure);
  observer.observe(node);
  measure();
  return {
    update(next: { tex: string; size: number; least: number }) {
      size = next.size;
      measure();
    },
    destroy: () => observer.disconnect(),
  };
}
