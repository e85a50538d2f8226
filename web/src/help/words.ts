/** The words of the tour and of the glossary come with them, when either is opened first. */
import { add } from "../i18n/catalogues";
import en from "../i18n/help.en";
import zh from "../i18n/help.zh";
import "../inspector/words";

add({ en, zh });
