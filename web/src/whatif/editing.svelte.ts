/** Which number is being typed over, and where: one at a time on the whole page. */
import { preferences } from "../app/preferences.svelte";
import { readNumber } from "../app/program";
import type { Session } from "../app/session.svelte";
import { gateValue, isUpdateGate } from "../math/notation";
import { canChange, change, editsOf } from "./actions";
import { placeOf, withNumber, type Place } from "./edits";

export interface Edited {
  session: Session;
  place: Place;
  /** Where on the stage the field stands; null: in the inspector. */
  at: DOMRect | null;
  /** It was chosen in the forward pass with the new parameters, which is shown again afterwards. */
  again: boolean;
}

class Editing {
  now = $state.raw<Edited | null>(null);
  /** What has the focus again when it is over. */
  #opener: HTMLElement | null = null;

  /** Whether the field stands in the panel of this film. */
  inPanel(session: Session): boolean {
    return this.now?.session === session && this.now.at === null;
  }

  /** The place of the number that is selected, where it can be typed over; null where it cannot. */
  placeIn(session: Session): Place | null {
    const { selection, trace, original } = session;
    if (!selection || !trace || !original || !canChange(session)) return null;
    return placeOf(trace, original, selection.node, selection.index);
  }

  /** Opens a field for the number that is selected. */
  start(session: Session, at: DOMRect | null, opener: HTMLElement | null): void {
    const place = this.placeIn(session);
    if (!place) return;
    session.pause();
    const again = session.after;
    if (again) session.go(session.moment); // what is typed over is the number that the loss was made of, not that with the new parameters
    if (session.selection) session.select(session.selection); // it stays, whatever the film does
    this.#opener = opener;
    this.now = { session, place, at, again };
  }

  /** The number as it is shown: a GRU's update gate may be 1 minus the film's. */
  get value(): number | null {
    const value = this.#stored;
    return value === null ? null : this.#turned(value);
  }

  /** From the film's number to the one that is shown, or back. */
  #turned(value: number): number {
    const { session, place } = this.now!;
    const gate = session.trace?.has(place.path) && isUpdateGate(session.trace.node(place.path));
    return gate ? gateValue(preferences.notation, value) : value;
  }

  get #stored(): number | null {
    if (!this.now) return null;
    const { session, place } = this.now;
    const edit = editsOf(session).findLast((one) => "value" in one && one.node === place.path && String(one.index) === String(place.index));
    if (edit && "value" in edit && typeof edit.value === "number") return edit.value;
    const { trace } = session;
    return trace?.has(place.path) ? trace.value(trace.node(place.path).id).at(place.index) : null;
  }

  /** False where `text` is no number. */
  accept(text: string): boolean {
    const value = readNumber(text, {});
    if (value === undefined || value === null) return false;
    if (this.now) {
      const { session, place } = this.now;
      if (session.original && value !== this.value) change(session, withNumber(editsOf(session), place, this.#turned(value), session.original));
    }
    this.cancel();
    return true;
  }

  cancel(): void {
    const { now } = this;
    this.now = null;
    if (now?.again) now.session.last();
    const opener = this.#opener;
    this.#opener = null;
    setTimeout(() => (opener?.isConnected ? opener : null)?.focus({ preventScroll: true }));
  }
}

export const editing = new Editing();
