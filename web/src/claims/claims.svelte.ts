/** "Is it true that…?": whether the list is open, and which statement is being looked into. */
import type { ClaimId } from "./list";

class Claims {
  open = $state(false);
  now = $state<ClaimId | null>(null);
  page = $state<"network" | "expression">("network");
  /** The address of the film that the statement is looked into on; null while it is not known. */
  address = $state<string | null>(null);
  /** How often one was opened: the same one may be opened again. */
  round = $state(0);
  /** The film stands where the statement begins. */
  placed = false;
}

export const claims = new Claims();
