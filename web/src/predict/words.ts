/** The words of questions and answers come with the card. */
import { add } from "../i18n/catalogues";
import en from "../i18n/predict.en";
import zh from "../i18n/predict.zh";

add({ en, zh });
