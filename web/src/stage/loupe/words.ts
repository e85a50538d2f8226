/** The words of the loupe come with it. */
import { add } from "../../i18n/catalogues";
import en from "../../i18n/loupe.en";
import zh from "../../i18n/loupe.zh";

add({ en, zh });
