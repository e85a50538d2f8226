/** Formulas to start from, from one derivative to a network unrolled over time. What each shows stands in the catalogue under its id. */
import type { ExpressionProgram, InputValue } from "../api/types";

export interface FormulaExample {
  readonly id: string;
  readonly program: ExpressionProgram;
}

export interface ExampleGroup {
  readonly id: string;
  readonly examples: readonly FormulaExample[];
}

function example(id: string, expression: string, inputs: Record<string, InputValue>, ...wrt: string[]): FormulaExample {
  return { id, program: { kind: "expression", expression, inputs, wrt } };
}

export const EXAMPLE_GROUPS: readonly ExampleGroup[] = [
  {
    id: "neuron",
    examples: [
      example("neuron", "tanh(w*x + b)", { w: 0.5, x: [1, 2], b: 0 }, "w", "b"),
      example("named", "h = tanh(w*x + b)\n(h - y)**2", { w: 0.5, x: [1, 2], b: 0, y: [1, 1] }, "w", "b"),
      example("line", "(w*x - y)**2", { w: 0.8, x: [1, 2, 3], y: [1, 2, 2] }, "w"),
      example(
        "logistic",
        "z = x @ w + b\np = sigmoid(z)\nL = -mean(y*log(p) + (1 - y)*log(1 - p))",
        { x: [[0.5, 1.2], [-1, 0.3], [1.5, -0.8], [-0.7, -1.1]], w: [0.4, -0.2], b: 0.1, y: [1, 0, 1, 0] },
        "w", "b",
      ),
    ],
  },
  {
    id: "network",
    examples: [
      example(
        "two_layer",
        "h = tanh(W1 @ x + b1)\ny_hat = W2 @ h + b2\nL = mean((y_hat - y)**2)",
        { W1: [[0.5, -0.3], [0.8, 0.2], [-0.6, 0.9]], x: [1, -0.5], b1: [0, 0.1, -0.1], W2: [[0.7, -0.4, 0.3]], b2: [0.1], y: [0.8] },
        "W1", "b1", "W2", "b2",
      ),
      example(
        "softmax",
        "z = W @ x + b\np = softmax(z)\nL = -sum(y*log(p))",
        { W: [[0.6, -0.2], [-0.4, 0.9], [0.1, 0.3]], x: [1, 2], b: [0, 0, 0], y: [0, 1, 0] },
        "W", "b",
      ),
      example("deep", "tanh(w*tanh(w*tanh(w*h)))", { w: 0.9, h: 0.5 }, "w", "h"),
      example(
        "rnn",
        "h1 = tanh(W @ h0 + U*x1 + b)\nh2 = tanh(W @ h1 + U*x2 + b)\nh3 = tanh(W @ h2 + U*x3 + b)\ny_hat = v @ h3\nL = (y_hat - y)**2",
        { W: [[0.6, -0.4], [0.3, 0.5]], h0: [0, 0], U: [0.8, -0.5], x1: 1, b: [0, 0.1], x2: -1, x3: 0.5, v: [1, -1], y: 1 },
        "W", "U", "b", "v",
      ),
    ],
  },
  {
    id: "chain",
    examples: [
      example("square", "x*x + 3*x", { x: 2 }, "x"),
      example("product", "sigmoid(a*b) * (a + b)", { a: 1.5, b: -0.5 }, "a", "b"),
      example("bell", "exp(-x*x / 2)", { x: [[-1, 0], [1, 2]] }, "x"),
    ],
  },
];

/** What the page opens on. */
export const FIRST: ExpressionProgram = EXAMPLE_GROUPS[0]!.examples[0]!.program;
