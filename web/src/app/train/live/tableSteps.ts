const MOST = 40;

/** Steps that a table of a run shows, the first and the last among them: some evenly apart, and those of `further` (0, before the first, always) as far as there is room. */
export function tableSteps(last: number, further: readonly number[]): number[] {
  if (last === 0) return [];
  const every = Math.max(1, Math.ceil(last / (MOST / 2)));
  const even = Array.from({ length: Math.ceil(last / every) }, (_, i) => 1 + i * every);
  const each = Math.max(1, Math.ceil(further.length / (MOST / 2)));
  const chosen = further.filter((step, i) => step <= last && (further.length - 1 - i) % each === 0);
  return [...new Set([...further.slice(0, further[0] === 0 ? 1 : 0), ...even, ...chosen, last])].sort((one, other) => one - other);
}
