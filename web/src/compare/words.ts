/** The words of the Compare page come with it. */
import { add } from "../i18n/catalogues";
import en from "../i18n/compare.en";
import zh from "../i18n/compare.zh";

add({ en, zh });
