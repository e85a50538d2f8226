/** What the loupe is held over: a lane that the pointer rests on, that has the focus, that is pressed for long, or that G asks for. */
import type { Point } from "../../graph/polyline";
import { laneOf, readLane } from "./lanes";

export interface Held {
  element: HTMLElement;
  /** Where the pointer is; null: the lane was not pointed at. */
  at: Point | null;
  by: "hover" | "focus" | "touch" | "key";
  /** The lane under the pointer was clicked: the loupe lets clicks through to what lies below, and goes as soon as the pointer leaves the lane. */
  chosen?: boolean;
}

const REST = 350; // ms on a lane after which the loupe is there; from one lane to the next it goes at once
const AWAY = 220; // ms that the pointer may take to the card, or over a gap
const LONG = 450; // ms of a long press
const STILL = 10; // px that a finger may move meanwhile
const REACH = 24; // px from a finger to the lane it means

export class Pointing {
  held = $state.raw<Held | null>(null);
  /** G was pressed where there is no gradient. */
  empty = $state(false);
  /** The card, over which the loupe stays. */
  card: HTMLElement | null = null;

  #hovered: Held | null = null;
  /** The lane that was clicked last, until the pointer leaves it. */
  #chosen: HTMLElement | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #press: { id: number; at: Point; timer: ReturnType<typeof setTimeout> } | null = null;
  /** A long press has opened the loupe: letting go is no tap. */
  #swallow = false;

  hold(held: Held): void {
    clearTimeout(this.#timer);
    this.empty = false;
    this.held = held;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.held = null;
    this.empty = false;
  }

  /** The pointer may rest on a lane already. */
  begin(): void {
    const element = document.querySelector<HTMLElement>("[data-lane]:hover");
    if (!element) return;
    this.#hovered = { element, at: null, by: "hover" };
    this.#later(REST, () => this.#hovered && readLane(element, this.#hovered.at) && this.hold(this.#hovered));
  }

  stop(): void {
    this.close();
    clearTimeout(this.#press?.timer);
  }

  #later(ms: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, ms);
  }

  // -- mouse and pen ------------------------------------------------------------------------------

  move(event: PointerEvent): void {
    if (event.pointerType === "touch") return this.#moved(event);
    if (this.#inCard(event)) return clearTimeout(this.#timer);
    const at = { x: event.clientX, y: event.clientY };
    if (this.#chosen && laneOf(event.target) !== this.#chosen) {
      this.#chosen = null;
      if (this.held?.chosen) this.close();
    }
    const element = event.buttons === 0 ? laneOf(event.target) : null;
    if (!element || !readLane(element, at)) return this.#leave();
    const resting = this.#hovered?.element === element;
    this.#hovered = { element, at, by: "hover" };
    const { held: now } = this;
    if (now?.by === "hover") this.#hover();
    else if (!resting && (now === null || now.by === "focus")) this.#later(REST, () => this.#hover());
  }

  #hover(): void {
    if (this.#hovered) this.hold({ ...this.#hovered, chosen: this.#hovered.element === this.#chosen });
  }

  #leave(): void {
    if (!this.#hovered) return;
    this.#hovered = null;
    if (this.held?.by === "hover") this.#later(this.held.chosen ? 0 : AWAY, () => this.close());
    else if (this.held === null) clearTimeout(this.#timer);
  }

  /** The pointer has left the window, or the card. */
  out(event: PointerEvent): void {
    if (event.pointerType === "touch") return;
    if (event.relatedTarget === null || this.#inCard(event)) {
      this.#hovered ??= this.held?.by === "hover" ? this.held : null;
      this.#leave();
    }
  }

  #inCard(event: Event): boolean {
    return event.target instanceof Node && this.card?.contains(event.target) === true;
  }

  // -- fingers ------------------------------------------------------------------------------------

  down(event: PointerEvent): void {
    const own = this.#inCard(event);
    if (!own && this.held && !(this.held.by === "hover" && laneOf(event.target) === this.held.element)) this.close();
    if (event.pointerType !== "touch" || own || !event.isPrimary) return this.#lift();
    const at = { x: event.clientX, y: event.clientY };
    this.#lift();
    this.#press = { id: event.pointerId, at, timer: setTimeout(() => this.#pressed(event.target, at), LONG) };
  }

  #moved(event: PointerEvent): void {
    if (this.#press?.id === event.pointerId && Math.hypot(event.clientX - this.#press.at.x, event.clientY - this.#press.at.y) > STILL) this.#lift();
  }

  up(event: PointerEvent): void {
    if (this.#press?.id === event.pointerId) this.#lift();
    if (event.type === "pointercancel") this.#swallow = false;
  }

  #lift(): void {
    clearTimeout(this.#press?.timer);
    this.#press = null;
    this.#swallow = false;
  }

  #pressed(target: EventTarget | null, at: Point): void {
    const element = this.#nearest(target, at);
    if (!element) return;
    this.#press = null;
    this.#swallow = true;
    this.hold({ element, at, by: "touch" });
  }

  /** The lane under a finger, which is wider than most: else the one whose edge is next to it. */
  #nearest(target: EventTarget | null, at: Point): HTMLElement | null {
    const own = laneOf(target);
    if (own && readLane(own, at)) return own;
    let [best, least] = [null as HTMLElement | null, REACH];
    for (const element of document.querySelectorAll<HTMLElement>("[data-lane]")) {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const away = Math.hypot(Math.max(left - at.x, 0, at.x - right), Math.max(top - at.y, 0, at.y - bottom));
      if (away < least && readLane(element, at)) [best, least] = [element, away];
    }
    return best;
  }

  /** A lane is chosen; or it is the end of a long press: no tap, and no menu of the browser. */
  click(event: Event): void {
    const { held } = this;
    if (event.type === "click" && !this.#swallow) {
      this.#chosen = laneOf(event.target);
      if (held?.by === "hover" && held.element === this.#chosen) this.held = { ...held, chosen: true };
    }
    if (event.type === "click" ? !this.#swallow : !this.#swallow && !(this.#press && laneOf(event.target))) return;
    if (event.type === "click") this.#swallow = false;
    event.preventDefault();
    event.stopPropagation();
  }

  // -- the keyboard -------------------------------------------------------------------------------

  focus(event: FocusEvent): void {
    const element = laneOf(event.target);
    if (this.held?.by === "focus") this.close();
    if (!element || element !== event.target || !element.matches(":focus-visible")) return;
    this.#later(REST, () => {
      if (document.activeElement === element && readLane(element, null) && this.held?.by !== "key") this.hold({ element, at: null, by: "focus" });
    });
  }

  key(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.held) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
      return;
    }
    if (event.key.toLowerCase() !== "g" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable], dialog[open], [popover]")) return;
    event.preventDefault();
    if (this.held?.by === "key") return this.close();
    const held = this.#wanted();
    if (held) this.hold(held);
    else this.close();
    this.empty = held === null;
  }

  /** Of the lane with the focus, the one under the pointer, the one that is chosen, the first in view. */
  #wanted(): Held | null {
    const focused = laneOf(document.activeElement);
    if (focused && readLane(focused, null)) return { element: focused, at: null, by: "key" };
    if (this.#hovered && readLane(this.#hovered.element, this.#hovered.at)) return { ...this.#hovered, by: "key" };
    const all = [...document.querySelectorAll<HTMLElement>("main [data-lane]")].filter((element) => readLane(element, null) && inView(element));
    const element = all.find((one) => one.matches(".selected")) ?? all[0];
    return element ? { element, at: null, by: "key" } : null;
  }
}

/** Whether its middle is what one sees there, or something that lies within it. */
function inView(element: HTMLElement): boolean {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return there !== null && (element.contains(there) || there.contains(element));
}
