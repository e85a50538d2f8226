/** Keys of the transport, as a presenter's clicker sends them too. */

export type KeyAction = "toggle" | "next" | "previous" | "next-event" | "previous-event" | "first" | "last" | "blank" | "break";

interface KeyPress {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

const KEYS: Record<string, KeyAction> = { ArrowRight: "next", ArrowLeft: "previous", PageDown: "next", PageUp: "previous", Home: "first", End: "last", b: "blank", ".": "blank", k: "break" };

/** What a key press asks of the film; null when it asks nothing. */
export function actionOf(press: KeyPress): KeyAction | null {
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  if (press.key === " ") return press.shiftKey ? null : "toggle";
  if (press.shiftKey) return press.key === "ArrowRight" ? "next-event" : press.key === "ArrowLeft" ? "previous-event" : null;
  return KEYS[press.key] ?? KEYS[press.key.toLowerCase()] ?? null;
}

/** Whether the element with the focus needs the key itself: a field any key, a button or a link the space bar. */
export function wantsKey(element: Element | null, action: KeyAction): boolean {
  if (!element) return false;
  if (element.closest("input, textarea, select, [contenteditable], dialog[open]")) return true;
  return action === "toggle" && element.closest("button, a, summary, [role=button]") !== null;
}
