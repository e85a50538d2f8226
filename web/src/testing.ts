// Before every test file: all words are there; happy-dom's page has no doctype, and KaTeX warns about that.
import { load } from "./i18n/catalogues";

if (typeof document !== "undefined") Object.defineProperty(document, "compatMode", { value: "CSS1Compat" });

await Promise.all([load("en"), load("zh")]);
