/** What the server says of a formula while it is typed: asked when the typing rests, and only the latest answer counts. */
import * as late from "../api/late";
import { Latest } from "../api/latest";
import { asProblem, type FieldError } from "../api/problem";
import type { ExpressionProgram } from "../api/types";
import { offsetOf } from "./editor";

const REST = 300; // ms without a key before the server is asked

export class LiveCheck {
  /** The program asked about last, and what is wrong with it; null before the first answer and where nothing is. */
  #answer = $state.raw<{ expression: string; error: FieldError | null } | null>(null);
  readonly #requests = new Latest();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = "";

  /** The error of `expression`. One found before stays while everything up to its place is as it was: it is not mended yet. */
  errorIn(expression: string): FieldError | null {
    const answer = this.#answer;
    if (!answer?.error) return null;
    if (answer.expression === expression) return answer.error;
    const { line, column } = answer.error;
    if (!column) return null;
    const place = offsetOf(answer.expression, line ?? 1, column);
    const word = answer.expression.slice(0, place + 1);
    return expression.length > place && expression.startsWith(word) ? answer.error : null;
  }

  /** Asks about `program` when no other has come for a moment; at once with `now`. Null: there is nothing to ask about. */
  ask(program: ExpressionProgram | null, now = false): void {
    const asked = JSON.stringify(program);
    if (asked === this.#asked && !now) return;
    this.#asked = asked;
    this.stop();
    if (!program) this.#answer = null;
    else this.#timer = setTimeout(() => void this.#run(program), now ? 0 : REST);
  }

  async #run(program: ExpressionProgram): Promise<void> {
    try {
      const found = await this.#requests.run((signal) => late.checkExpression(program, signal));
      if (found) this.#answer = { expression: program.expression, error: found.errors[0] ?? null };
    } catch (error) {
      // A refusal of the whole request is about the fields beside the formula; without an answer nothing is known, and nothing is said.
      const part = asProblem(error)?.errors[0];
      this.#answer = part ? { expression: program.expression, error: part } : null;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#requests.cancel();
  }
}
