/**
 * A menu in a popover: a choice closes it, arrows, Home and End move through its items, Escape closes it and nothing behind it. A group within it
 * is a setting of its other items, and leaves it open.
 */
export function menu(element: HTMLElement): () => void {
  const items = (): HTMLElement[] => [...element.querySelectorAll<HTMLElement>("[role^=menuitem]")];

  function opened(event: Event): void {
    if ((event as ToggleEvent).newState !== "open") return;
    const list = items();
    (list.find((item) => item.getAttribute("aria-checked") === "true") ?? list[0])?.focus();
  }

  function press(event: KeyboardEvent): void {
    const list = items();
    const at = list.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: (at + 1) % list.length, ArrowUp: (at + list.length - 1) % list.length, Home: 0, End: list.length - 1 }[event.key];
    if (event.key === "Escape" || to !== undefined) event.stopPropagation(); // the film has these keys too
    if (to === undefined) return;
    event.preventDefault();
    list[to]?.focus();
  }

  /** Before what was chosen is done, which may give the focus to a dialog. */
  function chosen(event: Event): void {
    const item = event.target instanceof Element ? event.target.closest("[role^=menuitem]") : null;
    if (item && item.getAttribute("aria-disabled") !== "true" && !item.closest("[role=group]")) element.hidePopover();
  }

  element.addEventListener("toggle", opened);
  element.addEventListener("click", chosen, true);
  element.addEventListener("keydown", press);
  return () => {
    element.removeEventListener("toggle", opened);
    element.removeEventListener("click", chosen, true);
    element.removeEventListener("keydown", press);
  };
}
