/** The words of the expression page come with it. */
import { add } from "../i18n/catalogues";
import en from "../i18n/graph.en";
import zh from "../i18n/graph.zh";

add({ en, zh });
