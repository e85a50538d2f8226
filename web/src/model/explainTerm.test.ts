import { describe, expect, it } from "vitest";
import { renderTex, segments } from "../math/render";
import en from "../i18n/why.en";
import { explain, type Explanation, type Target } from "./explain";
import { film } from "./fixtures";
import { six } from "./format";

const OPTIMIZED = ["rnn", "gru", "lstm", "adam", "rmsprop", "rmsprop-centered", "adagrad", "nesterov"] as const;

/** Each rule as a textbook has it, over the symbols of a trace. */
const BOOK: Record<string, (x: Record<string, number>) => number> = {
  "\\tilde{g}": (x) => (x.c !== undefined ? x.c * x.g! : Math.min(Math.max(x.g!, -x["g_{\\max}"]!), x["g_{\\max}"]!)),
  "g_{\\lambda}": (x) => slope(x) + x["\\lambda"]! * x["\\theta"]!,
  m: (x) => x["\\beta_{1}"]! * x["m_{k-1}"]! + (1 - x["\\beta_{1}"]!) * slope(x),
  v: (x) => (x["\\beta_{2}"] ?? x["\\alpha"])! * x["v_{k-1}"]! + (1 - (x["\\beta_{2}"] ?? x["\\alpha"])!) * slope(x) ** 2,
  "v^{\\max}": (x) => Math.max(x["v^{\\max}_{k-1}"]!, x.v!),
  "\\hat{m}": (x) => x.m! / (1 - x["\\beta_{1}"]! ** x.k!),
  "\\hat{v}": (x) => (x["v^{\\max}"] ?? x.v)! / (1 - x["\\beta_{2}"]! ** x.k!),
  "\\bar{g}": (x) => x["\\alpha"]! * x["\\bar{g}_{k-1}"]! + (1 - x["\\alpha"]!) * slope(x),
  "\\sigma^{2}": (x) => x.v! - x["\\bar{g}"]! ** 2,
  s: (x) => x["s_{k-1}"]! + slope(x) ** 2,
  u: (x) => x["\\mu"]! * x["u_{k-1}"]! + (x["\\hat{g}"] ?? slope(x)),
  "\\eta_{k}": (x) => x["\\eta"]! / (1 + (x.k! - 1) * x["\\gamma"]!),
  "\\hat{g}": (x) => (x.u !== undefined ? slope(x) + x["\\mu"]! * x.u : slope(x) / (Math.sqrt((x["\\sigma^{2}"] ?? x.v)!) + x["\\epsilon"]!)),
  "\\Delta_{\\mathrm{adaptive}}": (x) => (-x["\\eta"]! * x["\\hat{m}"]!) / (Math.sqrt(x["\\hat{v}"]!) + x["\\epsilon"]!),
  "\\Delta_{\\mathrm{decay}}": (x) => -x["\\eta"]! * x["\\lambda"]! * x["\\theta"]!,
  "\\theta'": (x) => x["\\theta"]! + x["\\Delta\\theta"]!,
};
const slope = (x: Record<string, number>): number => (x["g_{\\lambda}"] ?? x["\\tilde{g}"] ?? x.g)!;

/** What the page writes of each number that goes into a term, and the number it stands for. */
function inputs(e: Explanation, read: (value: number) => number): Record<string, number> {
  return Object.fromEntries(e.facts.filter(({ key }) => key !== "why.term.whole").map(({ params, value }) => [String(params!.symbol).slice(1, -1), read(value)]));
}

const six_digits = (value: number): number => {
  const [mantissa, power] = six(value).replace("\u2212", "-").split("\u00b710");
  return Number(mantissa) * 10 ** (power ? Number([...power].map((c) => ("\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079".indexOf(c) || "-") as string | number).map((c) => (typeof c === "number" ? c - 1 : c)).join("")) : 0);
};

describe.each(OPTIMIZED)("every term of an update of %s", (name) => {
  const shown = film(name);
  const rule = Object.values(shown.trace.rules)[0]!;
  const places = shown.trace.nodes.filter(({ id }) => shown.update(id)).map(({ id }) => ({ node: id, index: shown.trace.value(id).unravel(1) }));
  const of = (place: { node: number; index: number[] }, term: string): Explanation => explain(shown, { kind: "update", ...place, term }, shown.length, 0);

  it("is the trace's number, and what its formula makes of the numbers beside it", () => {
    let known = 0;
    for (const place of places) {
      for (const { name: term, symbol, formula } of rule.terms) {
        const e = of(place, term);
        const tensor = shown.update(place.node)!.terms.get(term)!;
        expect([term, e.value, e.state]).toEqual([term, tensor.shape.length === 0 ? tensor.flat(0) : tensor.at(place.index), "known"]);
        expect(e.sentence.key in en).toBe(true);
        for (const fact of e.facts) expect([fact.key, fact.key in en]).toEqual([fact.key, true]);
        if (formula === null) continue;
        const scale = Math.max(Math.abs(e.value!), 1e-12);
        const book = BOOK[symbol];
        if (book) {
          known++;
          expect(Math.abs(book(inputs(e, (x) => x)) - e.value!) / scale).toBeLessThan(1e-9);
          if (symbol !== "\\sigma^{2}") expect(Math.abs(book(inputs(e, six_digits)) - e.value!) / Math.max(scale, 1e-3)).toBeLessThan(1e-4); // a difference of near numbers
        }
        if (e.rows.length > 0) expect(Math.abs(e.sum! - e.value!)).toBeLessThanOrEqual(1e-12 * Math.max(1, scale));
      }
    }
    expect(known).toBeGreaterThan(places.length);
  });

  it("is written in TeX that can be read, with no name left in its numbers", () => {
    for (const { name: term, formula } of rule.terms) {
      const e = of(places[0]!, term);
      const numbers = e.numbers as string;
      for (const formula of [e.title, e.symbols, ...[numbers, ...e.rows.flatMap((row) => [row.label as string, row.detail as string])].flatMap((text) => segments(text).flatMap((part) => (part.kind === "tex" ? part.text : [])))]) {
        expect(renderTex(formula, false)).not.toMatch(/merror|tex-unread/);
      }
      if (formula !== null) expect(numbers.replace(/\\(?:frac|cdot|cos|sqrt|max|min|left|right|begin|end)|cases/g, "")).not.toMatch(/[a-z]/);
    }
  });

  it("leads from each rung to the terms it is made of", () => {
    const whole = explain(shown, { kind: "update", ...places[0]! }, shown.length, 0);
    for (const rung of whole.ladder!) {
      expect(rung.target).toEqual(rung.name.key === "why.rung.gradient" ? { kind: "gradient", ...places[0]! } : { kind: "update", ...places[0]!, term: rung.name.key.replace("why.rung.", "") });
      const e = explain(shown, rung.target!, shown.length, 0);
      expect(e.value === null).toBe(false);
      if (rung.target!.term) expect(e.ladder).toEqual(whole.ladder);
    }
    expect(whole.numbers).not.toBe("");
  });
});

describe("a term of an update", () => {
  const shown = film("rnn");
  const target: Target = { kind: "update", node: shown.trace.node("rnn.weight_hh_l0").id, index: [0, 2], term: "exp_avg" };

  it("has symbols, numbers and rows", () => {
    const e = explain(shown, target, shown.length, 0);
    expect(e.symbols).toBe("m = \\beta_{1}\\,m_{k-1} + (1 - \\beta_{1})\\,\\tilde{g}");
    expect(e.numbers).toMatch(/^\$= 0\.9\\(?:,|cdot ).+ \+ \(1 - 0\.9\).+ = .+\$$/);
    expect(e.rows.map((row) => row.label)).toEqual(["$\\beta_{1}\\,m_{k-1}$", "$(1 - \\beta_{1})\\,\\tilde{g}$"]);
    expect(e.facts.map((fact) => fact.target?.term ?? fact.target?.kind)).toEqual([undefined, "exp_avg_prev", "clipped", "update"]);
  });

  it("is not known before the optimizer is at work; a term that the rule has not is the whole", () => {
    const before = explain(shown, target, shown.moving, 0);
    expect([before.value, before.ladder]).toEqual([null, null]);
    expect(explain(shown, { ...target, term: "momentum_buffer" }, shown.length, 0).ladder).not.toBeNull();
  });

  it("says where the clip coefficient comes from", () => {
    const e = explain(shown, { ...target, term: "coefficient" }, shown.length, 0);
    const { norm, maxNorm, coefficient } = shown.clip!;
    expect([e.value, e.facts.slice(0, 2).map(({ value }) => value)]).toEqual([coefficient, [maxNorm, norm]]);
    expect(Math.min(1, maxNorm / (norm + 1e-6))).toBe(coefficient);
  });
});
