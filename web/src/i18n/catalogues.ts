/** The messages of each language. A language comes when it is chosen, the words of a part of the page with that part. */
import type { Language } from "./languages";

type Messages = Record<string, string>;

export const catalogues: Record<Language, Messages> = { en: {}, zh: {} };

const SOURCES: Record<Language, () => Promise<{ default: Messages }>> = { en: () => import("./en"), zh: () => import("./zh") };
const here = new Set<Language>();

/** Whether the messages of the language are there. */
export const loaded = (lang: Language): boolean => here.has(lang);

/** Fetches the messages of a language, unless they are there. Rejects where the server is not reached. */
export async function load(lang: Language): Promise<void> {
  if (here.has(lang)) return;
  Object.assign(catalogues[lang], (await SOURCES[lang]()).default);
  here.add(lang);
}

/** More messages, of a part that comes when it is opened. */
export function add(messages: Record<Language, Messages>): void {
  for (const lang of Object.keys(catalogues) as Language[]) Object.assign(catalogues[lang], messages[lang]);
}
