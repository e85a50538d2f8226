/** Keys of a menu in a popover: arrows, Home and End move through its items, Escape closes it and nothing behind it. */
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

  element.addEventListener("toggle", opened);
  element.addEventListener("keydown", press);
  return () => {
    element.removeEventListener("toggle", opened);
    element.removeEventListener("keydown", press);
  };
}
