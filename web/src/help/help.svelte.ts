/** What of the help is open: the tour, the glossary at one of its entries. */
import { rememberTour, tourSeen } from "./memory";

class Help {
  touring = $state(false);
  /** The part of the glossary that is shown first, or one of its entries; null: it is closed. */
  glossary = $state<string | null>(null);
  /** The tour is offered until it was finished or declined once. */
  offered = $state(!tourSeen());
  /** Where the focus goes when the help is over. */
  #from: HTMLElement | null = null;

  tour(from?: HTMLElement | null): void {
    this.#from = from ?? null;
    this.glossary = null;
    this.touring = true;
  }

  /** Finished, skipped or declined: it is not offered again, and can be taken again from the menu. */
  endTour(): void {
    this.touring = false;
    this.offered = false;
    rememberTour();
    this.#giveBack();
  }

  look(entry: string, from?: HTMLElement | null): void {
    this.#from = from ?? null;
    this.glossary = entry;
  }

  close(): void {
    this.glossary = null;
    this.#giveBack();
  }

  /** Its part of the page could not be fetched, which a notice says. */
  failed(): void {
    this.touring = false;
    this.glossary = null;
    this.#giveBack();
  }

  #giveBack(): void {
    const from = this.#from?.isConnected && this.#from.checkVisibility() ? this.#from : document.querySelector<HTMLElement>("[data-testid=help]");
    from?.focus();
    this.#from = null;
  }
}

export const help = new Help();
