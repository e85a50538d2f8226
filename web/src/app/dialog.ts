/** How every dialog of the page behaves, as attachments of a `<dialog>`. */

/** Keys in it are its own: Esc closes it, not what is opened on the stage. A click beside it closes it, as Esc does. */
export function behaves(dialog: HTMLDialogElement): () => void {
  const key = (event: KeyboardEvent): void => event.stopPropagation();
  const outside = (event: MouseEvent): void => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const within = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
    if (event.target === dialog && !within) dialog.close();
  };
  dialog.addEventListener("keydown", key);
  dialog.addEventListener("click", outside);
  return () => {
    dialog.removeEventListener("keydown", key);
    dialog.removeEventListener("click", outside);
  };
}

/** One that is open for as long as it is there. */
export function opens(dialog: HTMLDialogElement): () => void {
  dialog.showModal();
  return behaves(dialog);
}
