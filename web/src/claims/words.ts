/** The words of the statements come with them. */
import { add } from "../i18n/catalogues";
import en from "../i18n/claim.en";
import zh from "../i18n/claim.zh";

add({ en, zh });
