/** The words of the Train page come with it. */
import { add } from "../../i18n/catalogues";
import en from "../../i18n/train.en";
import zh from "../../i18n/train.zh";

add({ en, zh });
