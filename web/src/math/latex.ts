// Formula trees as LaTeX: the page's twin of engine/ops/latex.py, whose head states the rules. Both pass tests/fixtures/latex.json.

import type { Tree } from "../model/trace";

const [COMPARISON, SUM, NEGATIVE, PRODUCT, POWER, ATOM] = [0, 1, 2, 3, 4, 5];
const RELATIONS: Record<string, string> = { lt: "<", le: "\\le", gt: ">", ge: "\\ge", eq: "=" };
const OPPOSITES: Record<string, string> = { lt: "\\ge", le: ">", gt: "\\le", ge: "<", eq: "\\ne" };
const FUNCTIONS: Record<string, string> = {
  log: "\\log", sin: "\\sin", cos: "\\cos", tanh: "\\tanh", sigmoid: "\\sigma", maximum: "\\max", minimum: "\\min",
};
const TALL = /\^|\\(frac|sqrt|begin|left)/;

interface Piece {
  text: string;
  level: number;
  isNumber: boolean;
}

const piece = (text: string, level: number, isNumber = false): Piece => ({ text, level, isNumber });

export type Symbols = Readonly<Record<string, string>>;

/** The LaTeX of a formula tree. `numbers` are written in the place of names and win over `symbols`. */
export function toLatex(tree: unknown, symbols: Symbols = {}, numbers: Readonly<Record<string, number>> = {}): string {
  return new Renderer(symbols, numbers).render(tree as Tree).text;
}

/** A number with four significant digits, as LaTeX. */
export function formatNumber(value: number): string {
  return number(value).text;
}

/** `(text)`, or `\left(text\right)` when the text is tall. */
export function parenthesise(text: string): string {
  return TALL.test(text) ? `\\left(${text}\\right)` : `(${text})`;
}

/** The LaTeX of a name that nobody chose a symbol for. */
export function symbol(name: string): string {
  const parts = name.split("_").filter((part) => part !== "");
  const [first, ...rest] = parts.length > 0 ? (parts as [string, ...string[]]) : ["\\_"];
  const head = first.replace(/\d+$/, "");
  const pieces = [head, first.slice(head.length), ...rest].filter((part) => part !== "");
  const [base, ...subscripts] = pieces.map((part) => (/^(.|\\_|[0-9]+)$/u.test(part) ? part : `\\mathrm{${part}}`));
  return subscripts.length > 0 ? `${base}_{${subscripts.join(",")}}` : base!;
}

function number(value: number): Piece {
  if (Number.isNaN(value)) return piece("\\mathrm{NaN}", ATOM!, true);
  if (!Number.isFinite(value)) return value > 0 ? piece("\\infty", ATOM!, true) : piece("-\\infty", NEGATIVE!, true);
  if (value === 0) return piece("0", ATOM!, true);
  // toExponential rounds the exact value, ties upwards: the same rule as the engine's
  const [mantissa, power] = Math.abs(value).toExponential(3).split("e") as [string, string];
  const exponent = Number(power);
  const figures = mantissa.replace(".", "").replace(/0+$/, "");
  let text: string;
  let level = ATOM!;
  if (exponent >= -3 && exponent <= 3) {
    text = positional(figures, exponent);
  } else if (figures === "1") {
    [text, level] = [`10^{${exponent}}`, POWER!];
  } else {
    const short = figures.length > 1 ? `${figures[0]}.${figures.slice(1)}` : figures;
    [text, level] = [`${short}\\cdot 10^{${exponent}}`, PRODUCT!];
  }
  return value < 0 ? piece(`-${text}`, NEGATIVE!, true) : piece(text, level, true);
}

function positional(figures: string, exponent: number): string {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${figures}`;
  const whole = figures.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const rest = figures.slice(exponent + 1);
  return rest ? `${whole}.${rest}` : whole;
}

class Renderer {
  constructor(
    private readonly symbols: Symbols,
    private readonly numbers: Readonly<Record<string, number>>,
  ) {}

  /** The text of a subtree where its place asks for `level`. */
  private at(tree: Tree, level: number): string {
    const made = this.render(tree);
    return made.level >= level ? made.text : parenthesise(made.text);
  }

  private text(tree: Tree): string {
    return this.render(tree).text;
  }

  render(tree: Tree): Piece {
    if (typeof tree === "string") {
      if (Object.hasOwn(this.numbers, tree)) return number(this.numbers[tree]!);
      return piece(Object.hasOwn(this.symbols, tree) ? this.symbols[tree]! : symbol(tree), ATOM!);
    }
    if (typeof tree === "number") return number(tree);
    const [name, a, b] = tree as readonly [string, Tree, Tree];
    if (name === "neg") return piece(`-${this.at(a, PRODUCT!)}`, NEGATIVE!);
    if (name === "add" || name === "sub") {
      return piece(`${this.at(a, SUM!)} ${name === "add" ? "+" : "-"} ${this.at(b, PRODUCT!)}`, SUM!);
    }
    if (name === "mul" || name === "matmul") return this.product(a, b);
    if (name === "div") return piece(`\\frac{${this.text(a)}}{${this.text(b)}}`, POWER!);
    if (name === "pow") return piece(`${this.at(a, ATOM!)}^{${this.text(b)}}`, POWER!);
    if (name in RELATIONS) return piece(this.relation(a, RELATIONS[name]!, b), COMPARISON!);
    if (name === "call") return this.call(a as string, tree.slice(2));
    throw new Error(`${JSON.stringify(tree)} is no formula tree; expected a number, a name, or a list that begins with an operator`);
  }

  private product(a: Tree, b: Tree): Piece {
    const right = this.at(b, POWER!);
    const figures = this.render(b).isNumber || /^\d/.test(right) || right.startsWith("\\frac");
    return piece(this.at(a, PRODUCT!) + (figures ? "\\cdot " : "\\,") + right, PRODUCT!);
  }

  private relation(a: Tree, sign: string, b: Tree): string {
    return `${this.at(a, SUM!)} ${sign} ${this.at(b, SUM!)}`;
  }

  private call(name: string, given: readonly unknown[]): Piece {
    const last = given.at(-1);
    const keywords = typeof last === "object" && last !== null && !Array.isArray(last) ? (last as Record<string, unknown>) : null;
    const parts = (keywords ? given.slice(0, -1) : given) as Tree[];
    if (name === "exp") return piece(`e^{${this.text(parts[0]!)}}`, POWER!);
    if (name === "sqrt") return piece(`\\sqrt{${this.text(parts[0]!)}}`, ATOM!);
    if (name === "abs") return piece(`\\left|${this.text(parts[0]!)}\\right|`, ATOM!);
    if (name === "where") return this.cases(parts[0]!, parts[1]!, parts[2]!);
    const written = parts.map((part) => this.text(part));
    for (const [key, value] of Object.entries(keywords ?? {})) written.push(`\\mathrm{${escape(key)}} = ${attribute(value)}`);
    return piece((FUNCTIONS[name] ?? `\\operatorname{${escape(name)}}`) + parenthesise(written.join(", ")), ATOM!);
  }

  /** The number that a tree stands for, if it is one. */
  private known(tree: Tree): number | null {
    if (typeof tree === "string") return Object.hasOwn(this.numbers, tree) ? this.numbers[tree]! : null;
    return typeof tree === "number" ? tree : null;
  }

  private cases(condition: Tree, a: Tree, b: Tree): Piece {
    let [kind, left, right] = ["eq", condition, 0 as Tree] as [string, Tree, Tree];
    let [first, second] = [b, a]; // a value as condition is true where it is not zero
    if (Array.isArray(condition) && (condition[0] as string) in RELATIONS) {
      [kind, left, right] = condition as unknown as [string, Tree, Tree];
      [first, second] = [a, b];
      const known = [this.known(left), this.known(right)];
      if (kind === "eq" && known[0] !== null && known[1] !== null) return this.render(known[0] === known[1] ? a : b);
    }
    const [holds, fails] = [RELATIONS[kind]!, OPPOSITES[kind]!].map((sign) => this.relation(left, sign, right));
    return piece(`\\begin{cases}${this.text(first)} & ${holds} \\\\ ${this.text(second)} & ${fails}\\end{cases}`, COMPARISON!);
  }
}

function escape(word: string): string {
  return word.replaceAll("_", "\\_");
}

function attribute(value: unknown): string {
  if (value === null) return "\\mathrm{None}";
  if (typeof value === "boolean") return value ? "\\mathrm{True}" : "\\mathrm{False}";
  if (Array.isArray(value)) return `(${value.map((item) => formatNumber(Number(item))).join(", ")})`;
  return formatNumber(Number(value));
}
