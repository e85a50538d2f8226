// Before every test file: happy-dom's page has no doctype, and KaTeX warns about that.

if (typeof document !== "undefined") Object.defineProperty(document, "compatMode", { value: "CSS1Compat" });
