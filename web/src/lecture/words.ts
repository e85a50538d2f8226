/** The words of lectures and worksheets come with them. */
import { add } from "../i18n/catalogues";
import en from "../i18n/teach.en";
import zh from "../i18n/teach.zh";

add({ en, zh });
