/** Predicting: the film stops before something happens and asks what it will be. Nothing of it is on the page until it is answered. */
import type { Session } from "../app/session.svelte";
import type { Film } from "../model/film";
import type { Option, Question } from "./questions";

export interface Given {
  answer: number | Option | null;
  right: boolean;
}

export class Predict {
  on = $state(false);
  question = $state.raw<Question | null>(null);
  /** What was answered; null while it is asked. `answer` null: skipped. */
  given = $state.raw<Given | null>(null);
  /** Nothing more can be asked of this film. */
  over = $state(false);
  right = $state(0);
  asked = $state(0);
  #film: Film | null = null;
  #turn = 0;

  constructor(private readonly session: Session) {}

  /** A question stands open: what it asks for must not be seen. */
  get asking(): boolean {
    return this.on && this.question !== null && this.given === null && this.session.film === this.#film;
  }

  toggle(): void {
    if (this.on) this.end();
    else void this.start();
  }

  async start(): Promise<void> {
    const { session } = this;
    if (!session.film || session.status !== "ready") return;
    session.pause();
    this.on = true;
    this.over = false;
    if (session.after || session.moment === session.film.length) session.first();
    await this.next();
  }

  /** The next question, from where the film stands. */
  async next(): Promise<void> {
    const { session } = this;
    const { nextQuestion } = await import("./questions");
    const { film, grid, stops, moment, example } = session;
    if (!this.on || !film) return;
    this.given = null;
    this.#film = film;
    this.question = nextQuestion(film, grid, stops, moment, example, this.#turn++);
    this.over = this.question === null;
    if (!this.question) return;
    session.select(null);
    session.focus = null;
    session.hold = this.question.at;
    session.go(this.question.at);
  }

  answer(answer: number | Option, right: boolean): void {
    if (!this.asking) return;
    this.asked += 1;
    if (right) this.right += 1;
    this.#reveal({ answer, right });
  }

  skip(): void {
    if (this.asking) this.#reveal({ answer: null, right: false });
  }

  #reveal(given: Given): void {
    const { session, question } = this;
    this.given = given;
    session.hold = null;
    session.go(question!.reveal);
    session.select(question!.target);
  }

  end(): void {
    this.on = false;
    this.question = null;
    this.given = null;
    this.over = false;
    this.session.hold = null;
  }
}

const known = new WeakMap<Session, Predict>();

export function predictOf(session: Session): Predict {
  let predict = known.get(session);
  if (!predict) known.set(session, (predict = new Predict(session)));
  return predict;
}
