/**
 * How formulas are written. Two things are a matter of taste and stand here alone: whether vectors are columns (`W h`) or rows (`h Wᵀ`), and
 * which of the two states of a GRU its update gate z stands before. The numbers of a trace stay what they are; only the gate z is shown as
 * 1 − z where z says how much is renewed, and its gradient with the sign turned.
 */

export const PRODUCTS = ["column", "row"] as const;
export const GATES_Z = ["keep", "renew"] as const;

export interface Notation {
  /** column: a = W h, as in most textbooks. row: a = h Wᵀ, as PyTorch computes it. */
  product: (typeof PRODUCTS)[number];
  /** keep: h = (1 − z) n + z h₋, as PyTorch. renew: h = z n + (1 − z) h₋, as Chung et al. 2014 (arXiv:1412.3555). */
  z: (typeof GATES_Z)[number];
}

export const USUAL: Notation = { product: "column", z: "keep" };

export const writeNotation = ({ product, z }: Notation): string => `${product}.${z}`;

/** `row.renew`; null for what is none. */
export function readNotation(text: string): Notation | null {
  const [first, second, ...rest] = text.split(".");
  const product = PRODUCTS.find((one) => one === first);
  const z = GATES_Z.find((one) => one === second);
  return product && z && rest.length === 0 ? { product, z } : null;
}

export const isUsual = ({ product, z }: Notation): boolean => product === USUAL.product && z === USUAL.z;

/** A symbol that can bear an exponent. */
function raised(tex: string): string {
  if (/^\\d?frac/.test(tex)) return `\\left(${tex}\\right)`;
  return /^(\w|\\[a-z]+)(_\{([^{}]|\{[^{}]*\})*\})?$/.test(tex) ? tex : `{${tex}}`;
}

/** What a weight makes of a vector. `gap` stands between the two where the weight comes first. */
export function product({ product }: Notation, weight: string, vector: string, gap = ""): string {
  return product === "column" ? `${weight}${gap}${vector}` : `${vector}\\,${raised(weight)}^{\\top}`;
}

/** What comes back through a weight. */
export function backProduct({ product }: Notation, weight: string, gradient: string): string {
  return product === "column" ? `${raised(weight)}^{\\top} ${gradient}` : `${gradient}\\,${weight}`;
}

/** Through a weight, whatever comes. */
export function backThrough(notation: Notation, weight: string): string {
  return notation.product === "column" ? `${raised(weight)}^{\\top}\\,\\cdot` : `\\cdot\\,${weight}`;
}

/** What a weight gets of a gradient behind it and a vector before it. */
export function outerProduct({ product }: Notation, gradient: string, vector: string): string {
  return product === "column" ? `${gradient}\\,${raised(vector)}^{\\top}` : `${raised(gradient)}^{\\top}\\,${vector}`;
}

/** What the state before is multiplied with in a GRU, and what the candidate is; `z` is the gate's symbol. */
export const keeps = (notation: Notation, z: string): string => (notation.z === "keep" ? z : `(1 - ${z})`);
export const renews = (notation: Notation, z: string): string => (notation.z === "keep" ? `(1 - ${z})` : z);

/** A GRU's new state. */
export function mixture(notation: Notation, z: string, candidate: string, before: string): string {
  return `${renews(notation, z)} \\odot ${candidate} + ${keeps(notation, z)} \\odot ${before}`;
}

/** The update gate as it is shown, out of PyTorch's. */
export const gateValue = (notation: Notation, value: number): number => (notation.z === "keep" ? value : 1 - value);
export const gateGradient = (notation: Notation, gradient: number): number => (notation.z === "keep" ? gradient : -gradient);

/** The part of a node's path that says it is a GRU's update gate. */
export function isUpdateGate(node: { op: string | null; label: string | null; scope: string }): boolean {
  return node.op === "sigmoid" && node.label === "z" && /^gru\/(.*\/)?z$/.test(node.scope);
}
