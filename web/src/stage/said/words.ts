/** The words of single events come with their sentences. */
import { add } from "../../i18n/catalogues";
import en from "../../i18n/said.en";
import zh from "../../i18n/said.zh";

add({ en, zh });
