import type { Language } from "./languages";

export type Params = Record<string, string | number>;

/** Fills the `{name}`s of a message. TeX groups such as `W_{hh}` stay as they are: only names given in `params` are replaced. */
export function fill(message: string, params: Params): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(params, name) ? String(params[name]) : whole));
}

/** The name by which browsers know the language. */
export const locale = (lang: Language): string => (lang === "zh" ? "zh-CN" : "en");

const numbers: Partial<Record<Language, Intl.NumberFormat>> = {};

/** A number of things as the language writes it: 12,345. */
export function written(lang: Language, count: number): string {
  return (numbers[lang] ??= new Intl.NumberFormat(locale(lang), { maximumFractionDigits: 1 })).format(count);
}

/** Which of the forms that messages have goes with `count`. Chinese has the second alone. */
export function pluralForm(lang: Language, count: number): "one" | "other" {
  return new Intl.PluralRules(locale(lang)).select(count) === "one" ? "one" : "other";
}

/** A day and a time of day. */
export function dateAndTime(lang: Language, date: Date): string {
  return new Intl.DateTimeFormat(locale(lang), { dateStyle: "medium", timeStyle: "short" }).format(date);
}
