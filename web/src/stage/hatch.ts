/** Hatching, which says of a place that its number is not finite. */

/** Diagonals that fill a rectangle and end at its edges, as the d of a path. */
export function hatchPath(x: number, y: number, width: number, height: number, apart = 5): string {
  let path = "";
  for (let c = apart / 2; c < width + height; c += apart) {
    const [left, right] = [Math.max(0, c - height), Math.min(width, c)];
    path += `M${round(x + left)} ${round(y + c - left)}L${round(x + right)} ${round(y + c - right)}`;
  }
  return path;
}

const round = (value: number): number => Math.round(value * 100) / 100;
