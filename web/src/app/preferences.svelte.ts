/** What a person chose for this browser: the language and the theme. Kept in localStorage, shown on <html>. */
import type { Language } from "../i18n/languages";

export type Theme = "light" | "dark";

const LANGUAGE_KEY = "retrograd.language";
const THEME_KEY = "retrograd.theme";

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
  const known = stored(THEME_KEY);
  if (known === "light" || known === "dark") return known;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

class Preferences {
  #lang = $state<Language>(firstLanguage());
  #theme = $state<Theme>(firstTheme());

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

  /** Writes both to <html>, where the style sheets read them. */
  show(): void {
    const root = document.documentElement;
    root.lang = this.#lang === "zh" ? "zh-CN" : "en";
    root.dataset.lang = this.#lang;
    root.dataset.theme = this.#theme;
  }
}

/** One browser, one set of preferences. */
export const preferences = new Preferences();
