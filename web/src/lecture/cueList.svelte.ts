/** The cue list of the film that is shown, as state. What is changed in it is kept in this browser, film by film. */
import type { Language } from "../i18n/languages";
import { CueError, fits, MOST_CUES, moved, readCues, writeCues, type Cue, type CueFile } from "./cues";

const PREFIX = "retrograd.cues.";
const MOST_KEPT = 20; // films

export interface CueStore {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  key(index: number): string | null;
  readonly length: number;
}

/** Where the browser keeps things; null where that is forbidden. */
export function browserStore(): CueStore | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

export class CueList {
  cues = $state.raw<Cue[]>([]);
  /** The cue one is at; -1 before the first jump. */
  current = $state(-1);
  /** Whether it was changed, or opened from a file. */
  own = $state(false);
  #film = "";
  #rest: Omit<CueFile, "cues"> | null = null;
  #made: () => Cue[] = () => [];

  constructor(private readonly store: CueStore | null = browserStore()) {}

  /** Takes up the list of film `id` of `length` events: the one that was kept, else the one that `made` makes. */
  open(id: string, length: number, rest: Omit<CueFile, "cues">, made: () => Cue[]): void {
    [this.#film, this.#rest, this.#made] = [id, rest, made];
    this.current = -1;
    const kept = this.#kept(length);
    this.own = kept !== null;
    this.cues = kept ?? made();
  }

  #kept(length: number): Cue[] | null {
    try {
      const text = this.store?.getItem(PREFIX + this.#film) ?? null;
      if (text === null) return null;
      const { cues } = readCues(text);
      fits(cues, length);
      return cues;
    } catch {
      return null; // of another version, or of somebody else: the film's own list is as good
    }
  }

  /** Remembers the list; the oldest of too many is forgotten. */
  #keep(): void {
    this.own = true;
    if (!this.#rest) return;
    try {
      const keys = Array.from({ length: this.store?.length ?? 0 }, (_, i) => this.store!.key(i)!).filter((key) => key.startsWith(PREFIX) && key !== PREFIX + this.#film);
      for (const key of keys.slice(0, Math.max(0, keys.length - MOST_KEPT + 1))) this.store?.removeItem(key);
      if (this.cues.length > 0) this.store?.setItem(PREFIX + this.#film, writeCues({ ...this.#rest, cues: this.cues }));
      else this.store?.removeItem(PREFIX + this.#film);
    } catch {
      // storage may be full or forbidden: the list lasts as long as the page
    }
  }

  get full(): boolean {
    return this.cues.length >= MOST_CUES;
  }

  /** Adds a cue after the one one is at, and goes to it. */
  add(cue: Cue): void {
    if (this.full) return;
    const place = this.current < 0 ? this.cues.length : this.current + 1;
    this.cues = [...this.cues.slice(0, place), cue, ...this.cues.slice(place)];
    this.current = place;
    this.#keep();
  }

  edit(index: number, lang: Language, text: string): void {
    this.cues = this.cues.map((cue, i) => (i === index ? { ...cue, caption: { ...cue.caption, [lang]: text } } : cue));
    this.#keep();
  }

  setColumns(index: number, columns: number[] | null): void {
    this.cues = this.cues.map((cue, i) => (i === index ? { ...cue, columns } : cue));
    this.#keep();
  }

  remove(index: number): void {
    this.cues = this.cues.filter((_, i) => i !== index);
    if (this.current >= index) this.current = Math.max(this.cues.length > 0 ? 0 : -1, this.current - 1);
    this.#keep();
  }

  move(index: number, by: number): void {
    const at = this.cues[this.current];
    this.cues = moved(this.cues, index, by);
    if (at) this.current = this.cues.indexOf(at);
    this.#keep();
  }

  /** Forgets what was changed: the list that the film makes of itself. */
  clear(): void {
    try {
      this.store?.removeItem(PREFIX + this.#film);
    } catch {
      // as above
    }
    this.cues = this.#made();
    this.current = -1;
    this.own = false;
  }

  /** Takes the cues of a file for this film. */
  take(cues: Cue[], length: number): void {
    fits(cues, length);
    this.cues = cues;
    this.current = 0;
    this.#keep();
  }

  /** The index to jump to, `by` cues from here; from before the first jump, from the place in the film. Null where there is none. */
  step(by: 1 | -1, moment: number, after: boolean): number | null {
    const here = this.current >= 0 ? this.current : this.#nearest(moment, after, by);
    const index = here + by;
    return index >= 0 && index < this.cues.length ? index : null;
  }

  /** The last cue that the film has reached (going on), or the first one it has not (going back). */
  #nearest(moment: number, after: boolean, by: 1 | -1): number {
    const place = ({ at }: Cue): number => (at === "after" ? Infinity : at);
    const now = after ? Infinity : moment;
    if (by > 0) return now === 0 ? -1 : this.cues.findLastIndex((cue) => place(cue) <= now);
    const later = this.cues.findIndex((cue) => place(cue) >= now);
    return later < 0 ? this.cues.length : later;
  }

  /** The cue whose caption holds at a moment: the one one is at, else any that stands there. */
  at(moment: number, after: boolean): Cue | null {
    const stands = ({ at }: Cue): boolean => (at === "after" ? after : !after && at === moment);
    const current = this.cues[this.current];
    return current && stands(current) ? current : (this.cues.find(stands) ?? null);
  }

  toFile(): string {
    if (!this.#rest) throw new CueError("teach.cues.error.program");
    return writeCues({ ...this.#rest, cues: this.cues });
  }
}
