/** Numbers that JSON lacks travel as strings (docs/api.md). */
type Unwritable = "NaN" | "Infinity" | "-Infinity";

/** `T` with numbers in place of the strings that stand for some of them. */
export type Decoded<T> = T extends Unwritable ? never : T extends readonly (infer Item)[] ? Decoded<Item>[] : T extends object ? { [K in keyof T]: Decoded<T[K]> } : T;

/** A copy of an answer in which they are numbers again. For answers whose texts are never these words. */
export function decoded<T>(value: T): Decoded<T> {
  return decode(value) as Decoded<T>;
}

function decode(value: unknown): unknown {
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
  return value;
}
