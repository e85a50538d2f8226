/** The films of a session in the order in which they were asked for, by their addresses: what undo and redo go through, whatever it was that changed. */

const MOST = 200;

export class History {
  #past = $state.raw<string[]>([]);
  #future = $state.raw<string[]>([]);
  #now: string | null = null;

  /** The film that undo leads back to. */
  get before(): string | null {
    return this.#past.at(-1) ?? null;
  }

  /** The film that was undone last. */
  get after(): string | null {
    return this.#future.at(-1) ?? null;
  }

  /**
   * A film is opened: the one before (undo, Back), the one that was undone (redo), or a new one, after which nothing can be redone.
   * `anew`: it has nothing to do with the one before, which is not undone either.
   */
  visit(address: string, anew = false): void {
    const now = anew ? null : this.#now;
    if (anew) this.#past = this.#future = [];
    this.#now = address;
    if (now === null || now === address) return;
    if (address === this.before) {
      this.#past = this.#past.slice(0, -1);
      this.#future = [...this.#future, now];
    } else if (address === this.after) {
      this.#future = this.#future.slice(0, -1);
      this.#past = [...this.#past, now];
    } else {
      this.#past = [...this.#past, now].slice(-MOST);
      this.#future = [];
    }
  }

  /** The film that was visited last is none: it could not be made. */
  refuse(): string | null {
    const { before } = this;
    if (before === null) return null;
    this.#past = this.#past.slice(0, -1);
    this.#now = before;
    return before;
  }
}
