/** Copying a number that is shown short gives all its digits. */
export function copyDigits(event: ClipboardEvent): void {
  const selection = document.getSelection();
  const text = selection?.toString().trim();
  if (!selection || !text) return;
  const from = closestNumber(selection.anchorNode);
  if (!from?.dataset.value || from !== closestNumber(selection.focusNode)) return; // more than one number: as it is written
  event.clipboardData?.setData("text/plain", from.dataset.value);
  event.preventDefault();
}

function closestNumber(node: Node | null): HTMLElement | null {
  const element = node instanceof Element ? node : (node?.parentElement ?? null);
  return element?.closest<HTMLElement>("[data-value]") ?? null;
}
