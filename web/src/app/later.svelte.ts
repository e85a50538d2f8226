/** Parts of the page that do not delay its first picture. */
import { connection } from "./connection.svelte";

/** Resolves when what is on the page now has been drawn and the browser has nothing better to do. */
function drawn(): Promise<void> {
  return new Promise((resolve) => {
    const idle = (): void => void ("requestIdleCallback" in window ? requestIdleCallback(() => resolve(), { timeout: 300 }) : setTimeout(resolve, 50));
    requestAnimationFrame(() => setTimeout(idle));
  });
}

const FOREVER = 2 ** 31 - 1; // ms, the longest that a timer takes

/** A component that comes by itself. */
export class Part<Component> {
  /** The component where it has come, else null. */
  here = $state.raw<Component | null>(null);
  /** It was not reached. Where that was for want of the server, it is asked for again when that is back. */
  failed = $state(false);
  #asked: Promise<void> | null = null;

  constructor(private readonly fetch: () => Promise<{ default: Component }>) {
    parts.push(this);
  }

  /** The component as soon as may be. */
  get now(): Component | null {
    if (!this.#asked) void this.load();
    return this.here;
  }

  /** Resolves when it is here, or is known not to come. */
  load(): Promise<void> {
    this.#asked ??= this.#ask();
    return this.#asked;
  }

  async #ask(): Promise<void> {
    try {
      this.here = (await this.fetch()).default;
      this.failed = false;
    } catch {
      this.failed = true;
      void connection.missed().then(() => {
        if (connection.away) void connection.back(null, FOREVER).then(() => (this.#asked = this.#ask()));
      });
    }
  }

  /** Fetches it when the page has been drawn: it is there before it is asked for, and should the server go. */
  async soon(): Promise<void> {
    await drawn();
    await this.load();
  }
}

const parts: Part<unknown>[] = [];

/** Resolves when all parts of the components that are in use are here: for tests, which do not wait for each. */
export async function complete(): Promise<void> {
  for (let i = 0; i < parts.length; i++) await parts[i]!.load(); // a part may have parts
}
