/** Every symbol and formula of the page, written in the notation that is chosen, and where each can be seen. */
import { keeps, mixture, outerProduct, backProduct, product, renews, type Notation } from "../math/notation";
import type { Show } from "./show";

export interface Entry {
  /** Its name and its sentence are the messages help.term.… and help.about.… */
  id: string;
  tex: (notation: Notation) => string[];
  show?: Show;
}

export interface Group {
  id: "symbols" | "forward" | "loss" | "backward" | "update" | "metrics";
  entries: readonly Entry[];
}

const W = (name: string): string => `W_{\\mathrm{${name}}}`;
const b = (name: string): string => `b_{\\mathrm{${name}}}`;
const plain = (...tex: string[]) => () => tex;

/** A gate or candidate: what enters it, weighted. */
function affine(notation: Notation, gate: string): string {
  return `${product(notation, W(`i${gate}`), "x_t")} + ${b(`i${gate}`)} + ${product(notation, W(`h${gate}`), "h_{t-1}")} + ${b(`h${gate}`)}`;
}

export const GROUPS: readonly Group[] = [
  {
    id: "symbols",
    entries: [
      { id: "time", tex: plain("t = 1, \\dots, T"), show: { at: "start" } },
      { id: "input", tex: plain("x_t"), show: { at: "forward" } },
      { id: "state", tex: plain("h_t"), show: { at: "forward", choose: "state" } },
      { id: "cell_state", tex: plain("c_t"), show: { at: "forward", cell: "lstm" } },
      { id: "weights", tex: plain(`${W("ih")},\\ ${W("hh")},\\ ${W("ho")}`), show: { at: "start", tab: "parameters" } },
      { id: "bias", tex: plain(`${b("ih")},\\ ${b("hh")},\\ b_{\\mathrm{o}}`), show: { at: "start", tab: "parameters" } },
      { id: "logits", tex: plain("z"), show: { at: "loss", choose: "probability" } },
      { id: "prediction", tex: plain("p,\\ \\hat{y}"), show: { at: "loss", choose: "probability" } },
      { id: "loss", tex: plain("L"), show: { at: "loss", choose: "loss" } },
      { id: "gradient", tex: plain("\\frac{\\partial L}{\\partial h_t}"), show: { at: "backward" } },
      { id: "delta", tex: plain("\\delta_t = \\frac{\\partial L}{\\partial a_t}"), show: { at: "backward", open: true } },
      { id: "elementwise", tex: plain("a \\odot b"), show: { at: "forward", cell: "gru", open: true } },
      { id: "norm", tex: plain("\\lVert g \\rVert = \\sqrt{\\textstyle\\sum_i g_i^2}"), show: { at: "backward", tab: "gradient" } },
    ],
  },
  {
    id: "forward",
    entries: [
      { id: "rnn", tex: (n) => [`a_t = ${product(n, W("ih"), "x_t")} + ${b("ih")} + ${product(n, W("hh"), "h_{t-1}")} + ${b("hh")}`, "h_t = \\tanh(a_t)"], show: { at: "forward", cell: "rnn", open: true } },
      {
        id: "lstm",
        tex: (n) => [
          ...(["i", "f", "o"] as const).map((gate) => `${gate}_t = \\sigma(${affine(n, gate)})`),
          `g_t = \\tanh(${affine(n, "g")})`,
          "c_t = f_t \\odot c_{t-1} + i_t \\odot g_t",
          "h_t = o_t \\odot \\tanh(c_t)",
        ],
        show: { at: "forward", cell: "lstm", open: true },
      },
      {
        id: "gru",
        tex: (n) => [
          `r_t = \\sigma(${affine(n, "r")})`,
          n.z === "keep" ? `z_t = \\sigma(${affine(n, "z")})` : `z_t = 1 - \\sigma(${affine(n, "z")})`,
          `n_t = \\tanh\\left(${product(n, W("in"), "x_t")} + ${b("in")} + r_t \\odot (${product(n, W("hn"), "h_{t-1}")} + ${b("hn")})\\right)`,
          `h_t = ${mixture(n, "z_t", "n_t", "h_{t-1}")}`,
        ],
        show: { at: "forward", cell: "gru", open: true },
      },
      { id: "activations", tex: plain("\\sigma(a) = \\frac{1}{1 + e^{-a}}", "\\tanh(a) = \\frac{e^{a} - e^{-a}}{e^{a} + e^{-a}}"), show: { at: "forward", choose: "state" } },
      { id: "readout", tex: (n) => [`z = ${product(n, W("ho"), "h_T")} + b_{\\mathrm{o}}`], show: { at: "loss" } },
      { id: "softmax", tex: plain("p_k = \\frac{e^{z_k}}{\\sum_j e^{z_j}}"), show: { at: "loss", choose: "probability" } },
    ],
  },
  {
    id: "loss",
    entries: [
      { id: "cross_entropy", tex: plain("L = -\\log p_{\\mathrm{target}}"), show: { at: "loss", task: "surnames", choose: "loss" } },
      { id: "mse", tex: plain("L = \\frac{1}{n} \\sum_{k=1}^{n} (\\hat{y}_k - y_k)^2"), show: { at: "loss", task: "sunspots", choose: "loss" } },
    ],
  },
  {
    id: "backward",
    entries: [
      { id: "chain_rule", tex: plain("\\frac{\\partial L}{\\partial x} = \\sum_{u} \\frac{\\partial L}{\\partial u}\\,\\frac{\\partial u}{\\partial x}"), show: { at: "backward" } },
      { id: "contribution", tex: (n) => [backProduct(n, "W", "\\delta")], show: { at: "backward", open: true } },
      { id: "logit_gradient", tex: plain("\\frac{\\partial L}{\\partial z_k} = p_k - [k = \\mathrm{target}]"), show: { at: "backward_begins", task: "surnames" } },
      {
        id: "recursion",
        tex: (n) => ["\\delta_t = \\frac{\\partial L}{\\partial h_t} \\odot (1 - h_t^2)", `\\frac{\\partial L}{\\partial h_{t-1}} = ${backProduct(n, W("hh"), "\\delta_t")}`],
        show: { at: "backward", cell: "rnn", open: true },
      },
      { id: "recursion_lstm", tex: plain("\\frac{\\partial L}{\\partial c_{t-1}} = f_t \\odot \\frac{\\partial L}{\\partial c_t}"), show: { at: "backward", cell: "lstm" } },
      {
        id: "recursion_gru",
        tex: (n) => [`\\frac{\\partial L}{\\partial h_{t-1}} = ${keeps(n, "z_t")} \\odot \\frac{\\partial L}{\\partial h_t} + \\cdots`, `\\frac{\\partial L}{\\partial n_t} = ${renews(n, "z_t")} \\odot \\frac{\\partial L}{\\partial h_t}`],
        show: { at: "backward", cell: "gru", open: true },
      },
      { id: "bptt", tex: (n) => [`\\frac{\\partial L}{\\partial ${W("hh")}} = \\sum_{t=1}^{T} ${outerProduct(n, "\\delta_t", "h_{t-1}")}`], show: { at: "backward", tab: "bptt", choose: "shared" } },
      { id: "along", tex: plain("\\frac{\\langle G_t, G \\rangle}{\\lVert G \\rVert}"), show: { at: "backward", tab: "bptt" } },
      { id: "hop", tex: plain("\\times\\ \\frac{\\lVert \\partial L/\\partial h_{t-1} \\rVert}{\\lVert \\partial L/\\partial h_t \\rVert}"), show: { at: "backward", tab: "gradient" } },
      { id: "vanishing", tex: plain("\\left\\lVert \\frac{\\partial h_T}{\\partial h_1} \\right\\rVert \\to 0"), show: { page: "compare" } },
      { id: "truncation", tex: plain("\\frac{\\partial L}{\\partial h_{t}} = 0 \\quad (k \\mid t)"), show: { at: "backward", tab: "gradient" } },
      { id: "check", tex: plain("\\frac{L(w + \\varepsilon) - L(w - \\varepsilon)}{2\\varepsilon}"), show: { at: "backward", choose: "shared" } },
    ],
  },
  {
    id: "update",
    entries: [
      { id: "clip", tex: plain("\\tilde{g} = g \\cdot \\min\\left(1, \\frac{c}{\\lVert g \\rVert}\\right)"), show: { at: "update", tab: "bptt" } },
      { id: "sgd", tex: plain("\\theta \\leftarrow \\theta - \\eta\\,(\\tilde{g} + \\lambda\\,\\theta)"), show: { at: "update", optimizer: "sgd", choose: "update" } },
      { id: "momentum", tex: plain("v \\leftarrow \\mu\\,v + \\tilde{g}", "\\theta \\leftarrow \\theta - \\eta\\,v"), show: { at: "update", optimizer: "sgd", choose: "update" } },
      {
        id: "adamw",
        tex: plain(
          "m \\leftarrow \\beta_1 m + (1 - \\beta_1)\\,\\tilde{g}", "v \\leftarrow \\beta_2 v + (1 - \\beta_2)\\,\\tilde{g}^2",
          "\\hat{m} = \\frac{m}{1 - \\beta_1^k} \\qquad \\hat{v} = \\frac{v}{1 - \\beta_2^k}", "\\theta \\leftarrow \\theta - \\eta\\,\\frac{\\hat{m}}{\\sqrt{\\hat{v}} + \\epsilon} - \\eta\\,\\lambda\\,\\theta",
        ),
        show: { at: "update", optimizer: "adamw", choose: "update" },
      },
      { id: "bias_correction", tex: plain("\\hat{m} = \\frac{m}{1 - \\beta_1^k}"), show: { at: "update", optimizer: "adamw", choose: "update" } },
      { id: "decay", tex: plain("-\\,\\eta\\,\\lambda\\,\\theta"), show: { at: "update", optimizer: "adamw", choose: "update" } },
      { id: "again", tex: plain("L(\\theta_{\\mathrm{new}})"), show: { at: "after" } },
    ],
  },
  {
    id: "metrics",
    entries: [
      { id: "accuracy", tex: plain("\\frac{1}{n}\\sum_{i=1}^{n}\\,[\\hat{k}_i = k_i]"), show: { page: "train" } },
      { id: "rmse", tex: plain("\\sqrt{\\frac{1}{n}\\sum_{i=1}^{n} (\\hat{y}_i - y_i)^2}"), show: { page: "train" } },
      { id: "baseline", tex: plain("\\hat{k} = \\arg\\max_k n_k,\\quad \\hat{y} = \\bar{y}"), show: { page: "train" } },
    ],
  },
];

/** Keys of the page: what is pressed, and the message that says what for. */
export const KEYS: readonly { keys: readonly string[]; id: string }[] = [
  { keys: ["Space"], id: "play" },
  { keys: ["←", "→"], id: "step" },
  { keys: ["PgUp", "PgDn"], id: "clicker" },
  { keys: ["Shift ←", "Shift →"], id: "event" },
  { keys: ["Home", "End"], id: "ends" },
  { keys: ["K"], id: "break" },
  { keys: ["G"], id: "loupe" },
  { keys: ["B", "."], id: "blank" },
  { keys: ["↑", "↓"], id: "unit" },
  { keys: ["Esc"], id: "escape" },
  { keys: ["L"], id: "lecture" },
  { keys: ["N", "P", "R", "C", "Q"], id: "cues" },
  { keys: ["+", "−", "0"], id: "zoom" },
  { keys: ["?"], id: "help" },
];

/** Whether all words of `query` occur somewhere in `text`; letters count, not their case. */
export function matches(query: string, text: string): boolean {
  const plainText = text.toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => plainText.includes(word));
}
