/** Which elements of the page are gradient lanes, for the loupe: each says what number is under the pointer. */
import type { Point } from "../../graph/polyline";

/** A gradient that is drawn on a locked scale. */
export interface LoupeSubject {
  node: number;
  index: readonly number[];
  /** Of a parameter: only the share of this time step. */
  step?: number;
  /** How the number is written, where the notation turns it. */
  written?: (gradient: number) => number;
}

export interface Pointed {
  name: string;
  subject: LoupeSubject;
  /** Where it is on the screen, if that is not the element as a whole. */
  box?: { left: number; top: number; right: number; bottom: number };
}

/** `at`: the pointer in the window; null: the element has the focus. Null: there is no gradient. */
export type ReadLane = (at: Point | null) => Pointed | null;

const lanes = new WeakMap<Element, ReadLane>();

/** An attachment: the element is a lane, or holds several. */
export function lane(read: ReadLane | null | undefined): (element: HTMLElement) => (() => void) | void {
  return (element) => {
    if (!read) return;
    lanes.set(element, read);
    element.setAttribute("data-lane", "");
    return () => {
      lanes.delete(element);
      element.removeAttribute("data-lane");
    };
  };
}

/** The lane that an element is, or is in. */
export function laneOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>("[data-lane]") : null;
}

export const readLane = (element: Element, at: Point | null): Pointed | null => (element.isConnected ? (lanes.get(element)?.(at) ?? null) : null);
