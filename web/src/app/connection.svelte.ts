/**
 * Whether the server answers. A request that it did not get is asked again when it is back, one that it put off when it said; in the meantime
 * what was received goes on working, and a notice says what is waited for.
 */

export type Connection = "fine" | "offline" | "gone" | "busy";

const PROBE = "healthz"; // relative, as all addresses
const PATIENCE = 15_000; // ms that a request waits for a server that does not answer
const FIRST = 500; // ms until the first probe, and
const SLOWEST = 8_000; // the longest time between two
const LONGEST = 60; // s: what would have to wait longer than this is told at once

/** `ms` later, or at once with an AbortError. */
export function pause(ms: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new DOMException("given up", "AbortError"));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

export class Link {
  /** gone: this machine is connected, the server does not answer. */
  status = $state<Connection>("fine");
  /** When what is put off is asked again: milliseconds of performance.now(). */
  until = $state(0);
  /** Counts how often the server came back. */
  returns = $state(0);

  /** The server has another version of the page than this one, whose parts it has no longer. */
  outdated = $state(false);

  #waiting = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;

  constructor(private readonly probe: () => Promise<boolean>, private readonly replaced: () => Promise<boolean> = async () => false) {
    if (typeof window === "undefined") return;
    // A server on this very machine answers without any network
    window.addEventListener("offline", () => void this.#check());
    window.addEventListener("online", () => this.look());
  }

  get away(): boolean {
    return this.status === "offline" || this.status === "gone";
  }

  /** A request got no answer. */
  lost(): void {
    this.status = typeof navigator !== "undefined" && navigator.onLine === false ? "offline" : "gone";
    this.#again();
  }

  /** A part of the page did not come: looks whether the server is away, or has another version of the page. */
  async missed(): Promise<void> {
    if (!(await this.probe().catch(() => false))) this.lost();
    else this.outdated ||= await this.replaced().catch(() => false);
  }

  /** An answer came, whatever it says. */
  answered(): void {
    if (this.away) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#tries = 0;
      this.status = "fine";
      this.returns += 1;
    }
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  /** Asks the server now whether it is there. */
  look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tries = 0;
    if (this.away) void this.#look();
  }

  /** Resolves when the server answers again; false when it has not within `patience` ms. Rejects when the request is given up. */
  async back(signal?: AbortSignal | null, patience = PATIENCE): Promise<boolean> {
    if (!this.away) return true;
    const patient = new AbortController();
    const stop = (): void => patient.abort();
    signal?.addEventListener("abort", stop, { once: true });
    let here = false;
    const go = (): void => {
      here = true;
      patient.abort();
    };
    this.#waiting.add(go);
    try {
      await pause(patience, patient.signal);
    } catch {
      if (signal?.aborted) throw new DOMException("given up", "AbortError");
    } finally {
      this.#waiting.delete(go);
      signal?.removeEventListener("abort", stop);
    }
    return here;
  }

  /** Waits as long as a busy server says. False where that is too long to wait. */
  async putOff(seconds: number | null, signal?: AbortSignal | null): Promise<boolean> {
    const wait = seconds ?? 1;
    if (wait > LONGEST) return false;
    if (!this.away) this.status = "busy";
    this.until = Math.max(this.until, performance.now() + wait * 1000);
    try {
      await pause(wait * 1000, signal);
    } finally {
      if (this.status === "busy") this.status = "fine";
    }
    return true;
  }

  async #check(): Promise<void> {
    if (!(await this.probe().catch(() => false))) this.lost();
  }

  #again(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#look(), Math.min(SLOWEST, FIRST * 2 ** this.#tries++));
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    if (await this.probe().catch(() => false)) this.answered();
    else if (this.away) this.lost();
  }
}

/** The server of this page. */
export const connection = new Link(async () => {
  const response = await fetch(PROBE, { cache: "no-store" });
  return response.ok;
}, async () => {
  const script = document.querySelector("script[type=module][src]")?.getAttribute("src"); // named after what it and all its parts hold
  if (!script) return false;
  const response = await fetch(location.pathname, { cache: "no-store" });
  return response.ok && !(await response.text()).includes(script);
});
