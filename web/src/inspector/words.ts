/** The words of explanations come with whatever shows one. */
import { add } from "../i18n/catalogues";
import en from "../i18n/why.en";
import zh from "../i18n/why.zh";

add({ en, zh });
