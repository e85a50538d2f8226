/** Values in an address: JSON as base64url of its UTF-8 bytes. */

const LONGEST = 2 ** 20; // characters that are read; nobody sends a longer link

const packedOf = new WeakMap<object, string>();

export function pack(value: object): string {
  const known = packedOf.get(value);
  if (known !== undefined) return known;
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const packed = btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  packedOf.set(value, packed); // the address follows every step of a film, its program stays
  return packed;
}

/** The value in `text`; undefined when it is none. */
export function unpack(text: string): unknown {
  if (text.length > LONGEST || !/^[\w-]*$/.test(text)) return undefined;
  try {
    const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
