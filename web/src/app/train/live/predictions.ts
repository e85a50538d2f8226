/** Predictions as people read them: a class, a word letter by letter, a number, or a series. */
import { decimals } from "../../../model/format";

type Answer = number | readonly (number | readonly number[])[];

export type Reading =
  | { kind: "class"; target: string; prediction: string; right: boolean; p: number | null }
  | { kind: "classes"; letters: { target: string; prediction: string; right: boolean }[]; right: number }
  | { kind: "number"; target: string; prediction: string; error: string }
  | { kind: "series"; target: number[]; prediction: number[] };

/** What a network answers on one example. `name`: what a class is called; null where numbers are predicted. */
export function reading(target: Answer, prediction: Answer, p: Answer | null | undefined, name: ((index: number) => string) | null): Reading {
  if (name && typeof target === "number" && typeof prediction === "number") {
    return { kind: "class", target: name(target), prediction: name(prediction), right: target === prediction, p: typeof p === "number" ? p : null };
  }
  const [targets, predictions] = [listed(target), listed(prediction)];
  if (name) {
    const letters = targets.map((one, i) => ({ target: name(one), prediction: name(predictions[i] ?? NaN), right: one === predictions[i] }));
    return { kind: "classes", letters, right: letters.filter((letter) => letter.right).length };
  }
  if (targets.length === 1) return { kind: "number", target: decimals(targets[0]!, 3, false), prediction: decimals(predictions[0]!, 3, false), error: decimals(predictions[0]! - targets[0]!, 3) };
  return { kind: "series", target: targets, prediction: predictions };
}

/** One number a step. Of several outputs the first is shown. */
const listed = (answer: Answer): number[] => (typeof answer === "number" ? [answer] : answer.map((one) => (typeof one === "number" ? one : one[0]!)));

/** Paths of two series on one scale, in a box. */
export function paths(series: readonly (readonly number[])[], width: number, height: number): string[] {
  const finite = series.flat().filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const y = (value: number): number => (high > low ? ((high - value) / (high - low)) * (height - 2) + 1 : height / 2);
  return series.map((values) => {
    let pen = false;
    let path = "";
    values.forEach((value, i) => {
      if (!Number.isFinite(value)) {
        pen = false;
        return;
      }
      path += `${pen ? "L" : "M"}${((i / Math.max(1, values.length - 1)) * width).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = true;
    });
    return path;
  });
}
