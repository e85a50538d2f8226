/** The QR code of a text, by a library that comes when it is needed. */

export interface Code {
  /** Modules of a side, without the quiet zone. */
  size: number;
  /** All dark modules as one path, a module one unit. */
  path: string;
}

const MOST = 1200; // characters; a code of more is too fine to be read off a projector

/** Null for a text that is too long. */
export async function qrCode(text: string): Promise<Code | null> {
  if (text.length > MOST) return null;
  const { generate } = await import("lean-qr");
  const code = generate(text);
  let path = "";
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      if (!code.get(x, y)) continue;
      let width = 1;
      while (x + width < code.size && code.get(x + width, y)) width++;
      path += `M${x} ${y}h${width}v1h${-width}z`;
      x += width;
    }
  }
  return { size: code.size, path };
}
