/** Runs one request at a time: a new one aborts the one before, so that a stale answer never overwrites a newer one. */
export class Latest {
  #controller: AbortController | null = null;

  /** The answer of `request`, or undefined when a newer request has taken its place (also while an answer was already on its way). */
  async run<T>(request: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    this.cancel();
    const controller = new AbortController();
    this.#controller = controller;
    try {
      const answer = await request(controller.signal);
      return controller.signal.aborted ? undefined : answer;
    } catch (error) {
      if (controller.signal.aborted) return undefined;
      throw error;
    } finally {
      if (this.#controller === controller) this.#controller = null;
    }
  }

  cancel(): void {
    this.#controller?.abort();
    this.#controller = null;
  }
}
