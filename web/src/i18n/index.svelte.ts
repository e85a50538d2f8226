/** Every word of the interface, in the language that is chosen. */
import { preferences } from "../app/preferences.svelte";
import { catalogues } from "./catalogues";
import { fill, pluralForm, written, type Params } from "./format";
import type { Language } from "./languages";

/** The message `key` in the language chosen now. Reading it in a component or an effect follows the language. An unknown key is a mistake of ours and throws. */
export function t(key: string, params: Params = {}): string {
  return inLanguage(preferences.lang, key, params);
}

/**
 * The message `key` in a language that need not be the one shown. Where it counts something, `count`, it may have two forms, `key#one` and
 * `key#other`; the count is written as the language writes numbers.
 */
export function inLanguage(lang: Language, key: string, params: Params = {}): string {
  const { count } = params;
  const counted = typeof count === "number";
  const message = catalogues[lang][key] ?? (counted ? catalogues[lang][`${key}#${pluralForm(lang, count)}`] : undefined);
  if (message === undefined) throw new Error(`No message "${key}" in the catalogue "${lang}": add it to web/src/i18n.`);
  return fill(message, counted ? { ...params, count: written(lang, count) } : params);
}

/** Whether the catalogue knows `key`; for keys that come from the server (notes of a trace). */
export function known(key: string): boolean {
  return Object.hasOwn(catalogues[preferences.lang], key);
}
