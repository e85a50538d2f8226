export type Params = Record<string, string | number>;

/** Fills the `{name}`s of a message. TeX groups such as `W_{hh}` stay as they are: only names given in `params` are replaced. */
export function fill(message: string, params: Params): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(params, name) ? String(params[name]) : whole));
}
