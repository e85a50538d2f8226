/** Every word of the interface, in the language that is chosen. */
import { preferences } from "../app/preferences.svelte";
import { catalogues } from "./catalogues";
import { fill, locale, pluralForm, type Params } from "./format";
import type { Language } from "./languages";

/** The message `key` in the language chosen now. Reading it in a component or an effect follows the language. An unknown key is a mistake of ours and throws. */
export function t(key: string, params: Params = {}): string {
  return inLanguage(preferences.lang, key, params);
}

/** The message `key` in a language that need not be the one shown. */
export function inLanguage(lang: Language, key: string, params: Params = {}): string {
  const message = catalogues[lang][key];
  if (message === undefined) throw new Error(`No message "${key}" in the catalogue "${lang}": add it to web/src/i18n.`);
  return fill(message, params);
}

/** The form of a message that goes with `count` things: `key#one`, `key#other`. The count is written with its thousands apart. */
export function plural(key: string, count: number, params: Params = {}): string {
  const { lang } = preferences;
  return t(`${key}#${pluralForm(lang, count)}`, { count: written(count), ...params });
}

/** A number of things, or of seconds, as the language writes it: 12,345. */
export function written(count: number): string {
  return new Intl.NumberFormat(locale(preferences.lang), { maximumFractionDigits: 1 }).format(count);
}

/** Whether the catalogue knows `key`; for keys that come from the server (notes of a trace). */
export function known(key: string): boolean {
  return Object.hasOwn(catalogues[preferences.lang], key);
}
