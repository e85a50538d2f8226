import { describe, expect, it } from "vitest";
import { explain, type Explanation, type Target } from "./explain";
import { film, FIXTURES, TENSORS } from "./fixtures";
import { renderTex, segments } from "../math/render";
import { hopInto } from "./edges";
import { hopFactor, NetworkGrid } from "./network";
import { stops } from "./stops";
import type { Film } from "./film";
import { Tensor } from "./trace";

function close(a: number, b: number): void {
  expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(a), Math.abs(b)));
}

/** The rows that count and the others add up to the sum, and the sum to the number unless it says that it is another. */
function addsUp(e: Explanation): void {
  if (e.rows.length === 0) return;
  const sum = e.rows.reduce((s, row) => (row.arrived ? s + row.value : s), 0) + (e.others?.value ?? 0);
  if (e.sum !== null) close(sum, e.sum);
  if (e.sum !== null && e.value !== null && e.sumLabel === null && e.kind.key !== "why.kind.probability") close(e.sum, e.value);
}

function targets(shown: Film): Target[] {
  return shown.trace.nodes.flatMap((node) => {
    const tensor = shown.trace.value(node.id);
    const some = Array.from({ length: tensor.size }, (_, i) => i).filter((i) => tensor.size <= 24 || i % 7 === 0);
    return some.flatMap((i) => (["value", "gradient"] as const).map((kind) => ({ kind, node: node.id, index: tensor.unravel(i) })));
  });
}

/** Of a large film each stop has its share of the numbers, and every number its stops. */
const MOST_A_STOP = 300;

describe.each(FIXTURES)("every number of %s", (name) => {
  const shown = film(name);

  it("is explained, and its rows add up, at every cell stop", () => {
    const list = targets(shown);
    const every = Math.ceil(list.length / MOST_A_STOP);
    for (const [k, m] of stops(shown, "cell").entries()) {
      for (const target of list.filter((_, i) => i % every === k % every)) {
        const e = explain(shown, target, m, 0);
        expect(e.title).not.toBe("");
        expect(e.rows.length).toBeLessThanOrEqual(8);
        expect((e.state === "unknown") === (e.value === null)).toBe(true);
        addsUp(e);
      }
    }
  });

  it("is, when all has happened, the number of the trace", () => {
    for (const target of targets(shown)) {
      const e = explain(shown, target, shown.length, 0);
      const tensor = target.kind === "gradient" ? shown.trace.gradient(target.node) : shown.value(target.node, shown.length);
      expect(e.value).toBe(tensor ? tensor.at(target.index) : null);
    }
  });

  it("adds up with the new parameters too", () => {
    const again = shown.updated;
    expect(again === null).toBe(shown.trace.after === null);
    for (const target of again ? targets(again).filter((target) => target.kind === "value") : []) {
      const e = explain(again!, target, again!.length, 0);
      expect(e.value).toBe((shown.trace.after!.values.get(target.node) ?? shown.trace.value(target.node)).at(target.index));
      addsUp(e);
    }
  });

  it("is written in TeX that can be read", () => {
    for (const target of targets(shown)) {
      const e = explain(shown, target, shown.length, 0);
      const formulas = [e.title, e.symbols, ...e.rows.flatMap((row) => [row.label, row.detail]), e.numbers].flatMap((text) =>
        typeof text !== "string" ? [] : text.includes("$") ? segments(text).flatMap((part) => (part.kind === "tex" ? part.text : [])) : text === e.title || text === e.symbols ? text : [],
      );
      for (const formula of formulas) expect(renderTex(formula, false)).not.toMatch(/merror|tex-unread/);
    }
  });
});

describe.each([...FIXTURES, TENSORS] as const)("every edge of %s", (name) => {
  const shown = film(name);
  const { trace } = shown;
  const grid = NetworkGrid.of(trace);

  it("is explained by factors that make the contribution, and all of a number make its gradient", () => {
    for (const node of trace.nodes) {
      const parts = shown.contributions(node.id);
      const index = node.shape.map((n) => n - 1);
      const edges = parts.map((one, part) => {
        const e = explain(shown, { kind: "gradient", node: node.id, index, part }, shown.length, 0);
        close(e.value!, one.tensor().at(index));
        addsUp(e);
        for (const row of e.rows) {
          const factors = typeof row.detail === "string" && /^[^$]* \u00d7 [^$]*$/.test(row.detail) ? row.detail.split(" \u00d7 ").map(readBack) : null;
          if (factors) expect(Math.abs(factors.reduce((product, x) => product * x, 1) - row.value)).toBeLessThanOrEqual(0.02 * Math.max(0.1, ...factors.map(Math.abs)) ** 2 + 1e-3);
        }
        for (const formula of [e.title, e.symbols]) expect(renderTex(formula, false)).not.toMatch(/merror|tex-unread/);
        return e;
      });
      if (parts.length > 0) close(edges.reduce((sum, e) => sum + e.value!, 0), trace.gradient(node.id)!.at(index));
      for (const e of edges) for (const fact of e.facts) if (fact.target) expect(fact.value).toBe(explain(shown, fact.target, shown.length, 0).value);
    }
  });

  it("is not known before its contribution has arrived", () => {
    const node = trace.nodes.find(({ id }) => shown.contributions(id).length > 0)!;
    const e = explain(shown, { kind: "gradient", node: node.id, index: node.shape.map(() => 0), part: 0 }, 0, 0);
    expect([e.value, e.state, e.sentence.key]).toEqual([null, "unknown", "why.say.not_arrived"]);
    expect(() => explain(shown, { kind: "gradient", node: node.id, index: node.shape.map(() => 0), part: 99 }, 0, 0)).toThrow(RangeError);
  });

  it("from state to state is a hop whose rows add up to what the norm is multiplied by", () => {
    for (const chain of grid?.chains ?? []) {
      const own = grid!.showing(chain);
      for (const column of own.columns) {
        for (const node of [column.h, column.c]) {
          const example = grid!.examples.findIndex(({ length }) => length >= own.columns.length);
          const hop = node === null ? null : hopInto({ film: shown }, own, node, example);
          if (!hop) continue;
          const e = explain(shown, { kind: "hop", node: node!, index: [example, 0] }, shown.length, example);
          const stage = hopFactor(shown, own, hop.from, example, shown.length, hop.which);
          if (stage !== null) close(e.value!, stage);
          if (e.value === null) continue;
          close(e.rows.reduce((sum, row) => sum + row.value, e.others?.value ?? 0), e.value);
          expect(renderTex(e.title, false)).not.toMatch(/merror|tex-unread/);
          for (const row of e.rows) expect(explain(shown, row.target!, shown.length, example).kind.key).toBe("why.kind.contribution");
        }
      }
    }
  });
});

/** A number as the page writes it, three decimals or a power of ten. */
function readBack(text: string): number {
  const plain = text.replaceAll("\u2212", "-").replace("+", "").replace(/\u00b710(.*)$/, (_, raised: string) => `e${[...raised].map((c) => "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079".indexOf(c)).map((d) => (d < 0 ? "-" : d)).join("")}`);
  return Number(plain);
}

describe("a hidden value of an RNN", () => {
  const shown = film("rnn");
  const grid = NetworkGrid.of(shown.trace)!;
  const h3 = grid.column(3)!.h;

  it("is six terms and tanh", () => {
    const e = explain(shown, { kind: "value", node: h3, index: [0, 1] }, shown.length, 0);
    expect(e.title).toBe("h_{3}[1]");
    expect(e.rows.map((row) => row.label)).toEqual([{ key: "why.row.input" }, { key: "why.row.bias" }, "$h_{2}[0]$", "$h_{2}[1]$", "$h_{2}[2]$", "$h_{2}[3]$"]);
    close(e.sum!, shown.trace.value(grid.column(3)!.a!).at([0, 1]));
    close(Math.tanh(e.sum!), e.value!);
    close(e.facts[0]!.value, 1 - e.value! ** 2);
    expect(e.rows[2]!.target).toEqual({ kind: "value", node: grid.column(2)!.h, index: [0, 0] });
  });

  it("is not known before its event, and says so", () => {
    const e = explain(shown, { kind: "value", node: h3, index: [0, 1] }, 0, 0);
    expect(e.value).toBeNull();
    expect(e.sentence.key).toBe("why.say.not_computed");
  });

  it("has a gradient through the next step's deltas", () => {
    const e = explain(shown, { kind: "gradient", node: h3, index: [0, 2] }, shown.length, 0);
    expect(e.rows.map((row) => row.label)).toEqual([0, 1, 2, 3].map((i) => `$\\delta_{4}[${i}]$`));
    close(e.sum!, e.value!);
  });

  it("passes its gradient on to a times the slope", () => {
    const e = explain(shown, { kind: "gradient", node: grid.column(3)!.a!, index: [0, 0] }, shown.length, 0);
    expect(e.title).toBe("\\delta_{3}[0]");
    close(e.sum! * e.facts[0]!.value, e.value!);
  });
});

describe("a shared weight", () => {
  const shown = film("rnn");
  const weight = shown.trace.node("rnn.weight_hh_l0").id;
  const target: Target = { kind: "gradient", node: weight, index: [0, 2] };

  it("has one row a step, delta times h, the first exactly zero", () => {
    const e = explain(shown, target, shown.length, 0);
    expect(e.rows.map((row) => row.t)).toEqual([5, 4, 3, 2, 1]);
    expect(e.rows.at(-1)!.value).toBe(0);
    expect(e.sentence.key).toBe("why.say.shared_weight_zero");
    expect(e.state).toBe("known");
    expect(e.rows.reduce((sum, row) => sum + row.value, 0)).toBe(e.value); // in the order of the engine's own sum: exact
  });

  it("says so while the sum is open", () => {
    const arrived = shown.contributions(weight)[2]!.arrived + 1;
    const e = explain(shown, target, arrived, 0);
    expect(e.state).toBe("open");
    expect(e.rows.map((row) => row.arrived)).toEqual([true, true, true, false, false]);
    expect(e.sentence).toEqual({ key: "why.say.shared_weight_open", params: { count: 5, arrived: 3, next: 2 } });
    expect(e.value).toBe(shown.gradient(weight, arrived)!.at([0, 2]));
  });
});

describe("logits and the loss", () => {
  const shown = film("rnn");
  const grid = NetworkGrid.of(shown.trace)!;

  it("the loss is minus the logarithm of the target's probability", () => {
    const e = explain(shown, { kind: "value", node: grid.loss, index: [] }, shown.length, 0);
    close(e.sum!, e.value!);
    expect(e.phase).toBe("loss");
  });

  it("the gradient of a logit is the probability, less one for the target", () => {
    const goal = grid.examples[0]!.target as number;
    const e = explain(shown, { kind: "gradient", node: grid.head.logits!, index: [0, goal] }, shown.length, 0);
    expect(e.rows).toHaveLength(2);
    expect(e.rows[1]!.value).toBe(-1);
    close(e.sum!, e.value!);
  });

  it("a probability is its share of the exponentials", () => {
    const e = explain(shown, { kind: "value", node: grid.column(5)!.probe!.p!, index: [0, 1] }, shown.length, 0);
    close(e.rows[1]!.value / e.sum!, e.value!);
  });
});

describe("an update", () => {
  it("by AdamW has its ladder, and step and decay add up to the way", () => {
    const shown = film("rnn");
    const node = shown.trace.node("rnn.weight_hh_l0").id;
    const e = explain(shown, { kind: "update", node, index: [0, 2] }, shown.length, 0);
    expect(e.ladder!.map((step) => step.name.key)).toEqual(
      ["gradient", "clipped", "exp_avg", "exp_avg_sq", "exp_avg_hat", "exp_avg_sq_hat", "adaptive_step", "decay", "new"].map((rung) => `why.rung.${rung}`),
    );
    close(e.move!.old + (e.move!.step + e.move!.decay), e.move!.new);
    expect(e.ladder!.slice(0, 2).map((step) => step.symbol)).toEqual(["g", "\\tilde{g} = 0.699\\,g"]);
    close(e.ladder![1]!.value, e.ladder![0]!.value * shown.clip!.coefficient);
    expect(e.kind.params).toMatchObject({ optimizer: "AdamW", step: 40 });
  });

  it("by SGD has only what SGD has", () => {
    const shown = film("lstm");
    const node = shown.trace.node("rnn.weight_hh_l0").id;
    const e = explain(shown, { kind: "update", node, index: [0, 1] }, shown.length, 0);
    const rungs = e.ladder!.map((step) => step.name.key);
    expect(rungs).toContain("why.rung.momentum_buffer");
    expect(rungs).not.toContain("why.rung.decay");
    close(e.move!.old + e.move!.step, e.move!.new);
  });

  it.each([
    ["adam", "Adam", ["gradient", "decayed", "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "exp_avg_hat", "exp_avg_sq_hat", "delta", "new"], "\\theta' = \\theta - \\eta\\,\\frac{\\hat{m}}{\\sqrt{\\hat{v}} + \\epsilon}"],
    ["rmsprop", "RMSprop", ["gradient", "square_avg", "scaled", "delta", "new"], "\\theta' = \\theta - \\eta\\,\\hat{g}"],
    ["rmsprop-centered", "RMSprop", ["gradient", "square_avg", "grad_avg", "variance", "scaled", "momentum_buffer_prev", "momentum_buffer", "delta", "new"], "\\theta' = \\theta - \\eta\\,u"],
    ["adagrad", "Adagrad", ["gradient", "decayed", "sum", "delta", "new"], "\\theta' = \\theta - \\eta_{k}\\,\\frac{g_{\\lambda}}{\\sqrt{s} + \\epsilon}"],
    ["nesterov", "SGD", ["gradient", "momentum_buffer_prev", "momentum_buffer", "lookahead", "delta", "new"], "\\theta' = \\theta - \\eta\\,\\hat{g}"],
  ] as const)("by %s has its ladder, and its step is the way", (name, title, rungs, symbols) => {
    const shown = film(name);
    const node = shown.trace.node("rnn.weight_hh_l0").id;
    const e = explain(shown, { kind: "update", node, index: [0, 1] }, shown.length, 0);
    expect(e.ladder!.map((step) => step.name.key.replace("why.rung.", "")).filter((rung) => rung !== "clipped")).toEqual(rungs);
    expect(e.ladder!.map((step) => step.symbol).join()).not.toContain("undefined");
    expect([e.kind.params, e.symbols]).toEqual([{ optimizer: title, step: 3 }, symbols]);
    close(e.move!.old + e.move!.step, e.move!.new);
    for (const rung of ["exp_avg_sq", "max_exp_avg_sq", "square_avg", "variance", "sum"]) {
      const step = e.ladder!.find(({ name: { key } }) => key === `why.rung.${rung}`);
      if (step) close(step.value ** 2, shown.update(node)!.terms.get(rung)!.at([0, 1]));
    }
  });

  it("says how its learning rate came about", () => {
    const facts = (name: Parameters<typeof film>[0]): Explanation["facts"] => {
      const shown = film(name);
      return explain(shown, { kind: "update", node: shown.trace.node("head.bias").id, index: [0] }, shown.length, 0).facts;
    };
    expect(facts("rnn")).toEqual([]);
    const [cosine] = facts("rmsprop");
    expect(cosine).toMatchObject({ key: "why.rate.cosine", params: { base: "0.01", T_max: "10", rate: "$\\eta$" } });
    close(cosine!.value, 0.005 * (1 + Math.cos(0.2 * Math.PI)));
    const [edited, exponential] = facts("nesterov");
    expect(edited).toMatchObject({ key: "why.rate.edited", params: { step: 3, before: "0.2" }, value: 0.4 });
    expect(exponential).toMatchObject({ key: "why.rate.exponential", params: { base: "0.4", gamma: "0.5" }, value: 0.1 });
    const [decayed] = facts("adagrad");
    expect(decayed).toMatchObject({ key: "why.rate.decayed", params: { base: "0.01", steps: 2, decay: "0.1" } });
    close(decayed!.value, 0.01 / 1.2);
  });

  it("does not take a decay that is added to the gradient for momentum", () => {
    const said = (gradient: number): string => {
      const shown = film("adam");
      const node = shown.trace.node("head.bias").id;
      const { terms } = shown.update(node)!;
      const [old, fresh] = [terms.get("old")!.at([0]), terms.get("new")!.at([0])];
      terms.set("gradient", new Tensor([1], new Float64Array([gradient * Math.sign(fresh - old)])));
      terms.set("exp_avg_prev", new Tensor([1], new Float64Array([0])));
      return explain(shown, { kind: "update", node, index: [0] }, shown.length, 0).sentence.key;
    };
    expect([said(0), said(1)]).toEqual(["why.say.update_added", "why.say.update_against_decay"]);
  });

  it("has not happened before its event; its ladder stands as soon as the optimizer is at work", () => {
    const shown = film("rnn");
    const node = shown.trace.node("head.bias").id;
    const at = (m: number): Explanation => explain(shown, { kind: "update", node, index: [0] }, m, 0);
    const pending = at(shown.moving);
    expect([pending.value, pending.state, pending.sentence.key, pending.ladder]).toEqual([null, "unknown", "why.say.update_pending", null]);
    const soon = at(shown.update(node)!.event);
    expect([soon.value, soon.state, soon.sentence.key]).toEqual([null, "unknown", "why.say.update_soon"]);
    expect(soon.ladder).toEqual(at(shown.length).ladder);
  });

  /** The fixture's film with another SGD, told from its terms: `terms` are added to each update, `without` taken away. */
  function bySgd(symbols: Record<string, string>, terms: Record<string, number>, without: string[] = []): Explanation {
    const shown = film("lstm");
    const node = shown.trace.node("rnn.weight_hh_l0").id;
    const given = shown.update(node)!.terms;
    for (const name of without) given.delete(name);
    for (const [name, value] of Object.entries(terms)) given.set(name, new Tensor([], new Float64Array([value])));
    Object.assign(shown.trace.rules.sgd!.symbols, symbols);
    return explain(shown, { kind: "update", node, index: [0, 1] }, shown.length, 0);
  }

  it("has no rung for clipping that clipped nothing", () => {
    expect(bySgd({}, { coefficient: 1 }).ladder!.map((step) => step.name.key)).not.toContain("why.rung.clipped");
    expect(bySgd({}, { coefficient: 0.5 }).ladder!.map((step) => step.name.key)).toContain("why.rung.clipped");
  });

  it("is written with the rule's own symbols: what is clipped is not g any more", () => {
    const momentum = ["momentum_buffer", "momentum_buffer_prev", "momentum"];
    const symbol = (e: Explanation, rung: string): string => e.ladder!.find((step) => step.name.key === `why.rung.${rung}`)!.symbol;
    const plain = bySgd({}, { coefficient: 0.5 }, momentum);
    expect([symbol(plain, "delta"), plain.symbols]).toEqual(["-\\eta\\,\\tilde{g}", "\\theta' = \\theta - \\eta\\,\\tilde{g}"]);
    const decayed = bySgd({ decayed: "g_{\\lambda}", weight_decay: "\\lambda" }, { coefficient: 0.5, decayed: 0.1 }, momentum);
    expect(symbol(decayed, "decayed")).toBe("g_{\\lambda} = \\tilde{g} + \\lambda\\,\\theta");
    expect([symbol(decayed, "delta"), decayed.symbols]).toEqual(["-\\eta\\,g_{\\lambda}", "\\theta' = \\theta - \\eta\\,g_{\\lambda}"]);
    expect(symbol(bySgd({}, { coefficient: 1 }, momentum), "delta")).toBe("-\\eta\\,g");
  });
});

describe("LSTM and GRU", () => {
  const [lstm, gru] = [film("lstm"), film("gru")];
  const cells = { lstm: NetworkGrid.of(lstm.trace)!, gru: NetworkGrid.of(gru.trace)! };
  const labels = (shown: Film, node: number): unknown[] => explain(shown, { kind: "gradient", node, index: [0, 1] }, shown.length, 0).rows.map((row) => row.label);

  it("a cell state is what was kept and what was written", () => {
    const { c, gates, t } = cells.lstm.column(2)!;
    const e = explain(lstm, { kind: "value", node: c!, index: [0, 1] }, lstm.length, 0);
    expect(e.rows.map((row) => row.label)).toEqual([`$f_{${t}}\\,c_{1}$`, `$i_{${t}}\\,g_{${t}}$`]);
    expect(e.rows[0]!.value).toBe(lstm.trace.value(gates.get("f")!).at([0, 1]) * lstm.trace.value(cells.lstm.column(1)!.c!).at([0, 1]));
  });

  it("its gradient comes back through the hidden state and through the next forget gate", () => {
    expect(labels(lstm, cells.lstm.column(2)!.c!)).toEqual(["$\\partial L/\\partial c_{3}[1]$", "$\\partial L/\\partial h_{2}[1]$"]);
  });

  it("a candidate sums the input and the reset state, and tanh makes the number", () => {
    const { gates } = cells.gru.column(2)!;
    const e = explain(gru, { kind: "value", node: gates.get("n")!, index: [0, 0] }, gru.length, 0);
    close(Math.tanh(e.sum!), e.value!);
    expect(e.kind.key).toBe("why.kind.candidate");
  });

  it("what the reset gate lets through says so, with the slopes of its two ways back", () => {
    const reset = cells.gru.column(2)!.gates.get("r")!;
    const node = gru.trace.nodes.find((candidate) => candidate.op === "mul" && candidate.inputs[0] === reset)!;
    const e = explain(gru, { kind: "value", node: node.id, index: [0, 1] }, gru.length, 0);
    expect([e.kind.key, e.sentence.key]).toEqual(["why.kind.reset", "why.say.reset"]);
    close(e.sum!, e.value!);
    const back = (of: number): string => explain(gru, { kind: "gradient", node: of, index: [0, 1] }, gru.length, 0).sentence.key;
    expect(node.inputs.map(back)).toEqual(["why.say.reset_gate_gradient", "why.say.reset_state_gradient"]);
    expect(e.facts.map((fact) => fact.value)).toEqual([gru.trace.value(node.inputs[1]!).at([0, 1]), gru.trace.value(reset).at([0, 1])]);
  });

  it("a hidden state's gradient comes back directly and through the deltas of the gates", () => {
    const found = labels(gru, cells.gru.column(2)!.h);
    expect(found).toContain("$\\partial L/\\partial h_{3}[1]$");
    expect(found).toContain("$\\delta_{3}^{z}[0]$");
    expect(found).toContain("$r_{3}[0]\\,\\delta_{3}^{n}[0]$");
  });
});

describe("expressions", () => {
  it("name nodes by their formula and multiply the upstream gradient by the slope", () => {
    const shown = film("scalar");
    const product = shown.trace.nodes.find((node) => node.op === "mul")!.id;
    const value = explain(shown, { kind: "value", node: product, index: [] }, shown.length, 0);
    expect(value.title).toBe("w\\,x");
    expect(value.numbers).toBe("$0.5\\cdot 2 = 1.00000$");
    const gradient = explain(shown, { kind: "gradient", node: shown.trace.node("w").id, index: [] }, shown.length, 0);
    expect(gradient.rows).toHaveLength(1);
    expect(gradient.rows[0]!.detail).toMatch(/\u00d7 \+2\.000/);
  });

  it("show what a broadcast input gets as one row an element", () => {
    const shown = film("vector");
    const e = explain(shown, { kind: "gradient", node: shown.trace.node("w").id, index: [] }, shown.length, 0);
    expect(e.rows.map((row) => row.label)).toEqual([0, 1].map((i) => `$\\partial L/\\partial (w\\,x)[${i}]$`));
    const product = shown.trace.nodes.find((node) => node.op === "mul")!.id;
    expect(e.rows.map((row) => row.value)).toEqual([0, 1].map((i) => shown.trace.gradient(product)!.at([i]) * shown.trace.value(shown.trace.node("x").id).at([i])));
    expect(e.rows[1]!.target).toEqual({ kind: "gradient", node: product, index: [1] });
    expect([e.sentence.key, e.kind.key]).toEqual(["why.say.gradient_broadcast", "why.kind.gradient"]);
    expect(e.symbols).toContain("\\sum");
    expect(explain(shown, { kind: "value", node: shown.trace.node("w").id, index: [] }, 0, 0).kind.key).toBe("why.kind.input");
  });

  it("take what comes back over an operation on whole tensors apart, element by element", () => {
    const shown = film(TENSORS);
    const { trace } = shown;
    for (const node of trace.nodes) {
      for (const [part, one] of shown.contributions(node.id).entries()) {
        const index = node.shape.map((n) => n - 1);
        const e = explain(shown, { kind: "gradient", node: node.id, index, part }, shown.length, 0);
        expect([trace.nodes[one.node]?.op, e.rows.map((row) => row.detail)]).not.toEqual([trace.nodes[one.node]?.op, [expect.objectContaining({ key: "why.detail.op" })]]);
      }
    }
    const x = trace.node("x").id;
    const part = shown.contributions(x).findIndex(({ node }) => trace.nodes[node]!.op === "softmax" && trace.nodes[node]!.attributes.axis === undefined);
    const softmax = shown.contributions(x)[part]!.node;
    const p = [0, 1, 2].map((i) => trace.value(softmax).at([0, i]));
    const e = explain(shown, { kind: "gradient", node: x, index: [0, 1], part }, shown.length, 0);
    expect(e.symbols).toContain("\\delta_{ij}");
    expect(e.facts.slice(0, 3).map(({ value }) => value)).toEqual(p.map((one, i) => one * ((i === 1 ? 1 : 0) - p[1]!)));
    expect(e.facts[0]!.params!.formula).toContain(`${p[0]!.toFixed(3)} \u00b7 (0 \u2212 ${p[1]!.toFixed(3)})`.replaceAll(" ", "\u00a0"));
    expect(e.rows.map(({ target }) => target)).toEqual([0, 1, 2].map((i) => ({ kind: "gradient", node: softmax, index: [0, i] })));
  });

  it("an element that does not exist is refused", () => {
    expect(() => explain(film("scalar"), { kind: "value", node: 0, index: [3] }, 0, 0)).toThrow(RangeError);
  });
});

describe("layers and directions", () => {
  const stacked = film("stack");
  const { trace } = stacked;
  const whole = NetworkGrid.of(trace)!;

  it("explains every state of every chain by its own weights and the state that its direction comes from", () => {
    for (const chain of whole.chains) {
      const own = whole.showing(chain);
      for (const column of own.columns) {
        for (let row = 0; row < column.rows; row++) {
          const e = explain(stacked, { kind: "value", node: column.h, index: [row, 1] }, stacked.length, row);
          expect(Math.tanh(e.sum!)).toBeCloseTo(e.value!, 12);
          const gradient = explain(stacked, { kind: "gradient", node: column.h, index: [row, 1] }, stacked.length, row);
          expect(gradient.sum!).toBeCloseTo(gradient.value!, 12);
        }
      }
    }
  });

  it("writes the reverse direction from t + 1, and an upper layer over the one below", () => {
    const reverse = whole.showing(whole.chains[3]!).column(2)!;
    const e = explain(stacked, { kind: "value", node: reverse.h, index: [0, 0] }, stacked.length, 0);
    expect(e.title).toBe("{\\overleftarrow{h}^{[2]}_{2}}^{(0)}[0]");
    expect(e.symbols).toContain("h_{t+1}");
    expect(e.symbols).toContain("h^{[1]}_{t}");
  });

  it("adds up the shares of each chain's weights, the first step's being exactly zero", () => {
    for (const chain of whole.chains) {
      const { node } = whole.showing(chain).parameter("weight_hh")!;
      const e = explain(stacked, { kind: "gradient", node, index: [0, 1] }, stacked.length, 0);
      expect(e.sum!).toBeCloseTo(e.value!, 12);
      const longest = whole.examples.find((example) => example.length === 5)!;
      const first = e.rows.find((row) => row.t === (chain.reverse ? longest.length : 1))!;
      expect(first.value).toBe(0);
    }
  });
});
