/** The words of comparisons, sweeps, landscapes and exports come with them. */
import { add } from "../../i18n/catalogues";
import en from "../../i18n/runs.en";
import zh from "../../i18n/runs.zh";

add({ en, zh });
