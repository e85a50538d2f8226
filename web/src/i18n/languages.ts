export type Language = "en" | "zh";

/** How each language calls itself. */
export const LANGUAGES: readonly { code: Language; name: string }[] = [
  { code: "en", name: "EN" },
  { code: "zh", name: "中文" },
];
