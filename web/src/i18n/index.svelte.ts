/** Every word of the interface: one catalogue a language, merged from one file a part. */
import { preferences } from "../app/preferences.svelte";
import appEn from "./app.en";
import appZh from "./app.zh";
import compareEn from "./compare.en";
import compareZh from "./compare.zh";
import { fill, locale, pluralForm, type Params } from "./format";
import graphEn from "./graph.en";
import graphZh from "./graph.zh";
import type { Language } from "./languages";
import shareEn from "./share.en";
import shareZh from "./share.zh";
import stageEn from "./stage.en";
import stageZh from "./stage.zh";
import stateEn from "./state.en";
import stateZh from "./state.zh";
import teachEn from "./teach.en";
import teachZh from "./teach.zh";
import trayEn from "./tray.en";
import trayZh from "./tray.zh";
import whatifEn from "./whatif.en";
import whatifZh from "./whatif.zh";
import whyEn from "./why.en";
import whyZh from "./why.zh";

export const catalogues: Record<Language, Record<string, string>> = {
  en: { ...appEn, ...compareEn, ...graphEn, ...shareEn, ...stageEn, ...stateEn, ...teachEn, ...trayEn, ...whatifEn, ...whyEn },
  zh: { ...appZh, ...compareZh, ...graphZh, ...shareZh, ...stageZh, ...stateZh, ...teachZh, ...trayZh, ...whatifZh, ...whyZh },
};

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

/** More messages, of a part that comes when it is opened. */
export function add(messages: Record<Language, Record<string, string>>): void {
  for (const lang of Object.keys(catalogues) as Language[]) Object.assign(catalogues[lang], messages[lang]);
}

/** Whether the catalogue knows `key`; for keys that come from the server (notes of a trace). */
export function known(key: string): boolean {
  return Object.hasOwn(catalogues[preferences.lang], key);
}
