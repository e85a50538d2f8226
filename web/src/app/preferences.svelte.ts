/** What a person chose for this browser: the language, the theme, how formulas are written. Kept in localStorage, the first two shown on <html>. */
import type { Language } from "../i18n/languages";
import { embedding } from "../share/embed";
import { GATES_Z, PRODUCTS, USUAL, type Notation } from "../math/notation";

export type Theme = "light" | "dark";

const LANGUAGE_KEY = "retrograd.language";
const THEME_KEY = "retrograd.theme";
const NOTATION_KEY = "retrograd.notation";
const CAPTIONS_KEY = "retrograd.captions";
const SPEED_KEY = "retrograd.speed";

/** Times the usual pace. */
export const SPEEDS = [0.5, 1, 2, 4] as const;
export type Speed = (typeof SPEEDS)[number];

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage may be forbidden; the page works without a memory
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above: nothing is lost but the memory
  }
}

function firstLanguage(): Language {
  const known = stored(LANGUAGE_KEY);
  if (known === "en" || known === "zh") return known;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

function firstTheme(): Theme {
  if (embedding.theme) return embedding.theme; // that of the page around
  const known = stored(THEME_KEY);
  if (known === "light" || known === "dark") return known;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function firstNotation(): Notation {
  const known = (stored(NOTATION_KEY) ?? "").split(",");
  return { product: PRODUCTS.find((one) => known.includes(one)) ?? USUAL.product, z: GATES_Z.find((one) => known.includes(one)) ?? USUAL.z };
}

class Preferences {
  #lang = $state<Language>(firstLanguage());
  #theme = $state<Theme>(firstTheme());
  #notation = $state.raw<Notation>(firstNotation());
  #lit = false;
  #bilingual = $state(stored(CAPTIONS_KEY) === "both");

  #speed = $state<Speed>(SPEEDS.find((speed) => String(speed) === stored(SPEED_KEY)) ?? 1);

  /** How fast films play. */
  get speed(): Speed {
    return this.#speed;
  }

  set speed(speed: Speed) {
    this.#speed = speed;
    store(SPEED_KEY, String(speed));
  }

  get lang(): Language {
    return this.#lang;
  }

  set lang(lang: Language) {
    this.#lang = lang;
    store(LANGUAGE_KEY, lang);
    this.show();
  }

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    store(THEME_KEY, theme);
    this.show();
  }

  /** Shows another language for now, as a link asks for it; the one that was chosen is remembered. */
  lend(lang: Language): void {
    this.#lang = lang;
    this.show();
  }

  get notation(): Notation {
    return this.#notation;
  }

  set notation(notation: Notation) {
    this.#notation = notation;
    store(NOTATION_KEY, `${notation.product},${notation.z}`);
  }

  /** Writes formulas another way for now, as a link asks for it; what was chosen is remembered. */
  lendNotation(notation: Notation): void {
    this.#notation = notation;
  }

  /** Whether the captions of lecture mode are in both languages. */
  get bilingual(): boolean {
    return this.#bilingual;
  }

  set bilingual(bilingual: boolean) {
    this.#bilingual = bilingual;
    store(CAPTIONS_KEY, bilingual ? "both" : "one");
  }

  /** Light whatever the theme: for a projector, or for paper. */
  set lit(lit: boolean) {
    this.#lit = lit;
    this.show();
  }

  /** Writes both to <html>, where the style sheets read them. */
  show(): void {
    const root = document.documentElement;
    root.lang = this.#lang === "zh" ? "zh-CN" : "en";
    root.dataset.lang = this.#lang;
    root.dataset.theme = this.#lit ? "light" : this.#theme;
  }
}

/** One browser, one set of preferences. */
export const preferences = new Preferences();
