/** Addresses of the Train page's views. */
const of = (name: string, ids: readonly string[]): string => `#/train?${name}=${ids.map(encodeURIComponent).join(",")}`;

export const runAddress = (id: string): string => of("run", [id]);
export const comparisonAddress = (ids: readonly string[]): string => of("runs", ids);
export const sweepAddress = (id: string): string => of("sweep", [id]);
export const landscapeAddress = (ids: readonly string[]): string => of("landscape", ids);
