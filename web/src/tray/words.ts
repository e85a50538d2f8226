/** The words of the tray's tabs come with its panel; their names are the stage's. */
import { add } from "../i18n/catalogues";
import en from "../i18n/tray.en";
import zh from "../i18n/tray.zh";

add({ en, zh });
