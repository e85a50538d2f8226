/** Places in a list as a link writes them: `0-3,5`. */

const MOST = 100_000;

/** `places` in rising order, each once. */
export function writeRanges(places: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < places.length; ) {
    let end = i;
    while (places[end + 1] === places[end]! + 1) end++;
    parts.push(end === i ? String(places[i]) : `${places[i]}-${places[end]}`);
    i = end + 1;
  }
  return parts.join(",");
}

/** Null for a text that is no such list. */
export function readRanges(text: string): number[] | null {
  if (text === "") return [];
  const places: number[] = [];
  for (const part of text.split(",")) {
    const found = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part);
    if (!found) return null;
    const [first, last] = [Number(found[1]), Number(found[2] ?? found[1])];
    if (first <= (places.at(-1) ?? -1) || last < first || last > MOST) return null;
    for (let place = first; place <= last; place++) places.push(place);
  }
  return places;
}
