/** Two fingers over what scrolls, told as pans and zooms. One finger is the browser's, which scrolls by it. */
import type { Gestures } from "../graph/gestures";
import type { Point } from "../graph/polyline";

export function fingers(host: HTMLElement, handlers: Pick<Gestures, "pan" | "zoom">): { destroy(): void } {
  let before: { middle: Point; apart: number } | null = null;

  function pair({ touches }: TouchEvent): { middle: Point; apart: number } | null {
    const [one, other] = touches;
    if (!one || !other) return null;
    const box = host.getBoundingClientRect();
    return {
      middle: { x: (one.clientX + other.clientX) / 2 - box.left, y: (one.clientY + other.clientY) / 2 - box.top },
      apart: Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY),
    };
  }

  function down(event: TouchEvent): void {
    before = pair(event);
    if (before && event.cancelable) event.preventDefault();
  }

  function move(event: TouchEvent): void {
    const now = pair(event);
    if (!before || !now) return;
    if (event.cancelable) event.preventDefault();
    handlers.pan({ x: now.middle.x - before.middle.x, y: now.middle.y - before.middle.y });
    if (before.apart > 0 && now.apart > 0) handlers.zoom(now.apart / before.apart, now.middle);
    before = now;
  }

  /** A finger that stays does not go on with where two were. */
  function up(): void {
    before = null;
  }

  host.addEventListener("touchstart", down, { passive: false });
  host.addEventListener("touchmove", move, { passive: false });
  host.addEventListener("touchend", up);
  host.addEventListener("touchcancel", up);
  return {
    destroy() {
      host.removeEventListener("touchstart", down);
      host.removeEventListener("touchmove", move);
      host.removeEventListener("touchend", up);
      host.removeEventListener("touchcancel", up);
    },
  };
}
