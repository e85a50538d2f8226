/** Lengths and parts of rows of numbers, however large or small their elements are. What is no finite number stays so. */

const [LEAST, MOST] = [1e-280, 1e280]; // of a sum of squares: outside of them squares have been lost, or are about to be

/** The Euclidean norm. Squares that would overflow, or vanish, are taken of the elements divided by the largest. */
export function norm(data: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!;
  if (sum > LEAST && sum < MOST) return Math.sqrt(sum);
  let largest = 0;
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i]!)) return NaN;
    largest = Math.max(largest, Math.abs(data[i]!));
  }
  if (largest === 0 || largest === Infinity) return largest;
  sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i]! / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** <part, whole> / ||whole||: what `part` gives to the norm of `whole`, of norm `size`; 0 where that is 0. */
export function along(part: ArrayLike<number>, whole: ArrayLike<number>, size = norm(whole)): number {
  if (size === 0) return 0;
  let sum = 0;
  for (let i = 0; i < whole.length; i++) sum += part[i]! * (whole[i]! / size);
  return sum;
}

/** The largest magnitude that is finite; 0 where none is. */
export function largestOf(values: Iterable<number | null>): number {
  let largest = 0;
  for (const value of values) if (value !== null && Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  return largest;
}
