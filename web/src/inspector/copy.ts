/** Copying a number that is shown short, marked or in focus, gives all its digits. */
export function copyDigits(event: ClipboardEvent): void {
  const selection = document.getSelection();
  const text = selection?.toString().trim();
  if (document.activeElement instanceof HTMLInputElement || document.activeElement instanceof HTMLTextAreaElement) return;
  const from = closestNumber(text ? selection!.anchorNode : document.activeElement); // nothing marked: the number that has the focus
  if (!from?.dataset.value || (text && from !== closestNumber(selection!.focusNode))) return; // more than one number: as it is written
  event.clipboardData?.setData("text/plain", from.dataset.value);
  event.preventDefault();
}

function closestNumber(node: Node | null): HTMLElement | null {
  const element = node instanceof Element ? node : (node?.parentElement ?? null);
  return element?.closest<HTMLElement>("[data-value]") ?? null;
}
