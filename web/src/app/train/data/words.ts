/** The words of data of one's own come with them. */
import { add } from "../../../i18n/catalogues";
import en from "../../../i18n/own.en";
import zh from "../../../i18n/own.zh";

add({ en, zh });
