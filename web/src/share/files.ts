/** What is shown, as files: pictures made here, everything else by the server. */
import { Problem } from "../api/problem";
import { exportAddress } from "../api/late";

/** Hands a file to the browser, which saves it. */
export function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** A file of a trace, as the server writes it. Throws a Problem. */
export async function exported(trace: string, format: string, signal?: AbortSignal): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(exportAddress(trace, format), { headers: { Accept: format === "json" ? "application/json" : "*/*" }, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("offline", error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) throw await Problem.from(response);
  return response.blob();
}

/** A film as a file, which begins at the moment that `hash` names. */
export async function beginningAt(film: Blob, hash: string): Promise<Blob> {
  const text = await film.text();
  const body = "<body>\n";
  const at = text.indexOf(body);
  const start = hash.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
  return at < 0 ? film : new Blob([text.slice(0, at), `<body data-start="${start}">\n`, text.slice(at + body.length)], { type: "text/html" });
}

/** A file's name of plain letters, as the server makes them. */
export function fileName(parts: readonly (string | number)[], suffix: string): string {
  const plain = parts.map((part) => String(part).replace(/[^A-Za-z0-9-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40));
  return `${["retrograd", ...plain].filter((part) => part !== "").join("-")}.${suffix}`;
}
