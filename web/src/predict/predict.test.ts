import { describe, expect, it } from "vitest";
import { Film } from "../model/film";
import { film, FIXTURES } from "../model/fixtures";
import { six, three } from "../model/format";
import { NetworkGrid } from "../model/network";
import { stops, type Stride } from "../model/stops";
import { isRight, nextQuestion, type Question } from "./questions";

function all(shown: Film, stride: Stride): Question[] {
  const grid = NetworkGrid.of(shown.trace);
  const list = stops(shown, stride);
  const found: Question[] = [];
  for (let m = 0, turn = 0; ; turn++) {
    const question = nextQuestion(shown, grid, list, m, 0, turn);
    if (!question) return found;
    expect(question.reveal).toBeGreaterThan(question.at);
    expect(question.at).toBeGreaterThanOrEqual(m);
    found.push(question);
    m = question.reveal;
  }
}

/** The number that a question is about, and whether it is known at a moment. */
function number(shown: Film, { target }: Question, m: number): number | null {
  if (target.kind === "update") return shown.update(target.node)!.event < m ? shown.value(target.node, m)!.at(target.index) : null;
  const tensor = target.kind === "value" ? (shown.known(target.node, m) ? shown.trace.value(target.node) : null) : shown.gradient(target.node, m);
  return tensor ? tensor.at(target.index) : null;
}

describe.each(FIXTURES)("questions about %s", (name) => {
  const shown = film(name);

  it.each(["cell", "event"] as const)("fit the moment, by %s: what they ask is to come, and no given says it", (stride) => {
    const questions = all(shown, stride);
    expect(questions.length).toBeGreaterThan(0);
    for (const question of questions) {
      const { answer, given, ask } = question;
      const said = JSON.stringify([given, ask]);
      if (answer.type === "number") {
        expect(number(shown, question, question.reveal)).not.toBeNull();
        for (const text of [six(answer.value), three(answer.value), String(answer.value)]) if (text.length > 4) expect(said).not.toContain(text);
        expect(isRight(answer, answer.value + answer.tolerance)).toBe(true);
        expect(isRight(answer, answer.value - 1.01 * answer.tolerance)).toBe(false);
      } else {
        expect(answer.options).toContain(answer.right);
        for (const option of answer.options) expect(isRight(answer, option)).toBe(option === answer.right);
      }
      if (question.target.kind === "value") {
        expect(number(shown, question, question.at)).toBeNull();
        const value = number(shown, question, question.reveal)!;
        if (answer.type === "number") expect(value).toBe(answer.value);
        else expect(answer.right).toBe(value > 0 ? "positive" : value < 0 ? "negative" : "zero");
      }
    }
  });
});

describe("the kinds of questions", () => {
  const shown = film("rnn");
  const questions = all(shown, "cell");

  it("are those of the phase", () => {
    const of = (phase: string): string[] => questions.filter(({ reveal }) => shown.phaseAt(reveal) === phase).map(({ ask }) => ask.key);
    expect(new Set(of("forward"))).toEqual(new Set(["predict.ask.value", "predict.ask.sign"]));
    expect(of("loss")).toEqual(["predict.ask.loss"]);
    expect(of("backward")).toEqual(expect.arrayContaining(["predict.ask.norm", "predict.ask.share"]));
    expect(of("update")).toEqual(expect.arrayContaining(["predict.ask.clip", "predict.ask.update"]));
  });

  it("the loss is −ln of the probability that is given", () => {
    const { answer, given } = questions.find(({ ask }) => ask.key === "predict.ask.loss")!;
    const p = Number(/= ([\d.]+)$/.exec(String(given[0]!.params!.what))![1]);
    expect(isRight(answer, -Math.log(p))).toBe(true);
  });

  it("the norm at both ends of a hop is told once it is answered", () => {
    const norms = questions.filter(({ ask }) => ask.key === "predict.ask.norm");
    expect(norms.length).toBeGreaterThan(0);
    for (const { answer, told } of norms) {
      const { before, after, factor } = told!.params as Record<string, string>;
      const left = Number(after) / Number(before);
      expect(Number(factor!.slice(1))).toBeCloseTo(left, 1);
      expect(answer).toMatchObject({ right: left > 1 ? "grows" : "shrinks" });
    }
  });

  it("a share has the sign of its two factors", () => {
    for (const { answer, given } of questions.filter(({ ask }) => ask.key === "predict.ask.share")) {
      const [delta, h] = given.map(({ params }) => Number(/= (.+)$/.exec(String(params!.what))![1]!.replace("+", "").replace("\u2212", "-"))) as [number, number];
      expect(answer).toMatchObject({ right: delta * h > 0 ? "positive" : delta * h < 0 ? "negative" : "zero" });
    }
  });

  it("an update's way is the one its terms say", () => {
    const { answer, target } = questions.find(({ ask }) => ask.key === "predict.ask.update")!;
    const { terms } = shown.update(target.node)!;
    expect(answer).toMatchObject({ right: terms.get("new")!.at(target.index) > terms.get("old")!.at(target.index) ? "up" : "down" });
  });

  it("of what has become NaN there are none: it has no sign, no length and no way", () => {
    const lost = film("rnn");
    const { trace } = lost;
    for (let e = 0; e < trace.events.length; e++) {
      if (trace.events.phase(e) === "backward") trace.events.tensor(e)?.data.fill(NaN);
      if (trace.events.kind(e) === "clip" || trace.events.kind(e) === "update") for (const term of trace.events.terms(e)!.values()) term.data.fill(NaN);
    }
    for (const node of trace.nodes) trace.gradient(node.id)?.data.fill(NaN);
    const phases = all(new Film(trace), "cell").map(({ reveal }) => lost.phaseAt(reveal));
    expect(phases).toContain("forward");
    expect(phases).not.toContain("backward");
    expect(phases).not.toContain("update");
  });
});
