/** What a person chose for this browser: the language, the theme, how formulas are written. Kept in localStorage; language and theme are shown on <html>. */
import { MediaQuery } from "svelte/reactivity";
import { load, loaded } from "../i18n/catalogues";
import type { Language } from "../i18n/languages";
import { embedding } from "../share/embed";
import { connection } from "./connection.svelte";
import { GATES_Z, PRODUCTS, USUAL, type Notation } from "../math/notation";

export type Theme = "light" | "dark";

/** What can be chosen; "system" goes with the machine's settings, and so does whether "contrast" is light or dark. */
export const APPEARANCES = ["system", "light", "dark", "contrast"] as const;
export type Appearance = (typeof APPEARANCES)[number];

const LANGUAGE_KEY = "retrograd.language";
const THEME_KEY = "retrograd.theme";
const NOTATION_KEY = "retrograd.notation";
const CAPTIONS_KEY = "retrograd.captions";
const SPEED_KEY = "retrograd.speed";
const COMPARE_KEY = "retrograd.compare";

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

function firstAppearance(): Appearance {
  if (embedding.theme) return embedding.theme; // that of the page around
  const known = stored(THEME_KEY);
  return APPEARANCES.find((one) => one === known) ?? "system";
}

function firstNotation(): Notation {
  const known = (stored(NOTATION_KEY) ?? "").split(",");
  return { product: PRODUCTS.find((one) => known.includes(one)) ?? USUAL.product, z: GATES_Z.find((one) => known.includes(one)) ?? USUAL.z };
}

class Preferences {
  #lang = $state<Language>(firstLanguage());
  /** The language that is shown as soon as its words are there. */
  #wanted = this.#lang;
  #appearance = $state<Appearance>(firstAppearance());
  readonly #dark = new MediaQuery("(prefers-color-scheme: dark)");
  readonly #more = new MediaQuery("(prefers-contrast: more)");
  readonly #forced = new MediaQuery("(forced-colors: active)");
  #notation = $state.raw<Notation>(firstNotation());
  #lit = false;
  #compareLayout = $state<"stacked" | "side">(stored(COMPARE_KEY) === "side" ? "side" : "stacked");
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
    store(LANGUAGE_KEY, lang);
    this.lend(lang);
  }

  get appearance(): Appearance {
    return this.#appearance;
  }

  set appearance(appearance: Appearance) {
    this.#appearance = appearance;
    store(THEME_KEY, appearance);
    this.show();
  }

  /** Which of the two grounds is shown. Where the system forces its colours, the ground is the system's. */
  get theme(): Theme {
    const own = this.#appearance === "light" || this.#appearance === "dark";
    return own && !this.#forced.current ? (this.#appearance as Theme) : this.#dark.current ? "dark" : "light";
  }

  /** Whether all ink is to stand out as far as it can. */
  get contrast(): boolean {
    return this.#appearance === "contrast" || this.#more.current || this.#forced.current;
  }

  /** Shows another language for now, as a link asks for it; the one that was chosen is remembered. */
  lend(lang: Language): void {
    this.#wanted = lang;
    void this.worded();
  }

  /** Resolves when the words of the language that is wanted are there and it is shown; the one before stays where they are not reached. */
  async worded(): Promise<void> {
    while (!loaded(this.#wanted) || this.#lang !== this.#wanted) {
      const lang = this.#wanted;
      if (!loaded(lang)) {
        try {
          await load(lang);
        } catch {
          if (this.#wanted === lang) this.#wanted = this.#lang;
          connection.lost(); // which looks whether the server is there, and says so
          return;
        }
      }
      if (this.#wanted !== lang) continue;
      this.#lang = lang;
      this.show();
    }
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

  /** Whether Compare shows its panes above each other or side by side. */
  get compareLayout(): "stacked" | "side" {
    return this.#compareLayout;
  }

  set compareLayout(layout: "stacked" | "side") {
    this.#compareLayout = layout;
    store(COMPARE_KEY, layout);
  }

  /** Light whatever the theme: for a projector, or for paper. */
  set lit(lit: boolean) {
    this.#lit = lit;
    this.show();
  }

  /** Writes language, theme and contrast to <html>, where the style sheets read them. */
  show(): void {
    const root = document.documentElement;
    root.lang = this.#lang === "zh" ? "zh-CN" : "en";
    root.dataset.lang = this.#lang;
    root.dataset.theme = this.#lit ? "light" : this.theme;
    root.dataset.contrast = this.contrast ? "more" : "normal";
  }
}

/** One browser, one set of preferences. */
export const preferences = new Preferences();

if (typeof window !== "undefined")
  for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"])
    matchMedia(query).addEventListener?.("change", () => preferences.show());
