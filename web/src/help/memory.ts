/** Whether the tour was finished or declined in this browser. */
const KEY = "retrograd.tour";

export function tourSeen(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return true; // without a memory the offer would come back for ever
  }
}

export function rememberTour(): void {
  try {
    localStorage.setItem(KEY, "seen");
  } catch {
    // nothing is lost but the memory
  }
}
