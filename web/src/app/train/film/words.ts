/** What a film of a run says of that run comes with the first such film. */
import { add } from "../../../i18n/catalogues";
import en from "../../../i18n/trainfilm.en";
import zh from "../../../i18n/trainfilm.zh";

add({ en, zh });
