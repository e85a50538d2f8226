/** Moving over a drawing by mouse, wheel and fingers, told as pans, zooms and taps. A tap on a button is the button's, one on an edge (`.hit`) the edge's. */
import type { Point } from "./polyline";

export interface Gestures {
  /** Whose fingers are: by default they are told here; "browser": it scrolls by them. */
  fingers?: "browser";
  pan(by: Point): void;
  zoom(factor: number, at: Point): void;
  tap?(at: Point): void;
  /** Whether the wheel and one finger move the drawing; otherwise they scroll the page. */
  moves(): boolean;
}

const STILL = 5; // px that a tap may move
const FRESH = 250; // ms that the place of the stage on the screen is taken for known
const NOTCH = 0.0018; // of zoom, for a pixel of the wheel

export function gestures(host: HTMLElement, handlers: Gestures): { destroy(): void } {
  const pointers = new Map<number, Point>();
  let travelled = 0;
  let dragged = false;

  let corner = { x: 0, y: 0, at: -Infinity };

  const place = (event: { clientX: number; clientY: number; timeStamp: number }): Point => {
    if (event.timeStamp - corner.at > FRESH) {
      const box = host.getBoundingClientRect();
      corner = { x: box.left, y: box.top, at: event.timeStamp };
    }
    return { x: event.clientX - corner.x, y: event.clientY - corner.y };
  };

  function down(event: PointerEvent): void {
    if (event.pointerType === "mouse" ? event.button !== 0 && event.button !== 1 : handlers.fingers === "browser") return;
    if (event.target === host && (event.offsetX > host.clientWidth || event.offsetY > host.clientHeight)) return; // on a scroll bar
    if (pointers.size === 0) {
      travelled = 0;
      dragged = false;
    }
    pointers.set(event.pointerId, place(event));
  }

  function move(event: PointerEvent): void {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (event.pointerType === "mouse" && event.buttons === 0) return void pointers.delete(event.pointerId); // let go elsewhere
    const now = place(event);
    const by = { x: now.x - before.x, y: now.y - before.y };
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    travelled += Math.hypot(by.x, by.y);
    if (!dragged && travelled < STILL) return;
    if (!dragged) {
      dragged = true;
      host.setPointerCapture(event.pointerId);
    }
    pointers.set(event.pointerId, now);
    if (other) {
      const [was, is] = [Math.hypot(before.x - other.x, before.y - other.y), Math.hypot(now.x - other.x, now.y - other.y)];
      handlers.pan({ x: by.x / 2, y: by.y / 2 });
      if (was > 0) handlers.zoom(is / was, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    } else handlers.pan(by);
  }

  function up(event: PointerEvent): void {
    if (!pointers.delete(event.pointerId) || pointers.size > 0 || dragged || event.type === "pointercancel") return;
    if (!(event.target instanceof Element && event.target.closest("button, .hit"))) handlers.tap?.(place(event));
  }

  /** The end of a drag is no click on what lies under it. */
  function click(event: MouseEvent): void {
    if (!dragged) return;
    dragged = false;
    event.preventDefault();
    event.stopPropagation();
  }

  function wheel(event: WheelEvent): void {
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? host.clientHeight : 1;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const turned = Math.max(-240, Math.min(240, event.deltaY * unit * (event.deltaMode === 0 && Math.abs(event.deltaY) < 40 ? 4 : 1)));
      handlers.zoom(Math.exp(-turned * NOTCH), place(event));
    } else if (handlers.moves()) {
      event.preventDefault();
      const [x, y] = event.shiftKey && event.deltaX === 0 ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
      handlers.pan({ x: -x * unit, y: -y * unit });
    }
  }

  host.addEventListener("pointerdown", down);
  host.addEventListener("pointermove", move);
  host.addEventListener("pointerup", up);
  host.addEventListener("pointercancel", up);
  host.addEventListener("click", click, true);
  host.addEventListener("wheel", wheel, { passive: false });
  return {
    destroy() {
      host.removeEventListener("pointerdown", down);
      host.removeEventListener("pointermove", move);
      host.removeEventListener("pointerup", up);
      host.removeEventListener("pointercancel", up);
      host.removeEventListener("click", click, true);
      host.removeEventListener("wheel", wheel);
    },
  };
}
