/** The fonts of the page, to be put into a picture: those whose letters it has. Chinese is left to the fonts of whoever looks at it. */
import greek from "@fontsource-variable/inter/files/inter-greek-wght-normal.woff2?url";
import extended from "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2?url";
import latin from "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?url";
import mathematical from "@fontsource/stix-two-math/files/stix-two-math-latin-400-normal.woff2?url";

interface Face {
  family: string;
  weight: string;
  file: string;
  /** Whether a text needs this file of the family. */
  needed: RegExp;
}

const FACES: readonly Face[] = [
  { family: "Inter", weight: "100 900", file: latin, needed: /[\u0000-\u00ff\u2000-\u206f\u20ac\u2190-\u22ff]/ },
  { family: "Inter", weight: "100 900", file: extended, needed: /[\u0100-\u02ff\u1d00-\u1eff\u20a0-\u20ab\u2100-\u218f]/ },
  { family: "Inter", weight: "100 900", file: greek, needed: /[\u0370-\u03ff]/ },
  { family: "STIX Two Math", weight: "400", file: mathematical, needed: /./s },
];

/** The style sheet of the fonts that the texts of a drawing need, with the files in it. */
export async function fontFaces(drawing: SVGElement): Promise<string> {
  const texts: Record<string, string> = {};
  for (const text of drawing.querySelectorAll("text")) {
    const first = /^\s*["']?([^"',]+)/.exec(text.getAttribute("font-family") ?? "")?.[1] ?? "";
    texts[first] = (texts[first] ?? "") + (text.textContent ?? "");
  }
  const needed = FACES.filter(({ family, needed: letters }) => letters.test(texts[family] ?? ""));
  const rules = await Promise.all(
    needed.map(async ({ family, weight, file }) => `@font-face{font-family:"${family}";font-weight:${weight};src:url("${await dataOf(file)}") format("woff2")}`),
  );
  return rules.join("");
}

async function dataOf(file: string): Promise<string> {
  if (file.startsWith("data:")) return file; // in a film saved as a file, which may fetch nothing
  const response = await fetch(file);
  if (!response.ok) throw new Error(`the font ${file} could not be loaded (${response.status})`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  let binary = "";
  for (let from = 0; from < bytes.length; from += 32768) binary += String.fromCharCode(...bytes.subarray(from, from + 32768));
  return `data:font/woff2;base64,${btoa(binary)}`;
}
