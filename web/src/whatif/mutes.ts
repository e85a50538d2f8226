/** Uses of a number that are muted on trial: what remains of its gradient is known at once, since every contribution is recorded. */
import type { Target } from "../model/explain";
import { useOf } from "../model/explanation";
import type { Row } from "../model/explanation";
import type { Film } from "../model/film";
import type { Trace } from "../model/trace";
import { originalOf } from "./edits";

export class Mutes {
  /** `chosen`: the uses muted on trial, each as "node port". */
  constructor(
    private readonly film: Film,
    private readonly original: Trace,
    private readonly target: Target,
    private readonly moment: number,
    private readonly chosen: ReadonlySet<string>,
  ) {}

  static key({ use }: Row): string | null {
    return use ? `${use.node} ${use.port}` : null;
  }

  /** A sum to which something else comes is worth asking of; with one contribution there is nothing that remains. */
  offered(): boolean {
    return this.film.contributions(this.target.node).length > 1;
  }

  /** Whether a row counts no more: muted in this film, or on trial. */
  muted(row: Row): boolean {
    const key = Mutes.key(row);
    return row.muted === true || (key !== null && this.chosen.has(key));
  }

  get any(): boolean {
    return this.chosen.size > 0;
  }

  /** The sum of what has arrived without the uses on trial, in the order of arrival. */
  remains(): number {
    let sum = 0;
    for (const one of this.film.contributions(this.target.node)) {
      const { use } = useOf(this.film.trace, one);
      if (one.arrived < this.moment && !(use && this.chosen.has(`${use.node} ${use.port}`))) sum += one.tensor().at(this.target.index);
    }
    return sum;
  }

  /** The uses on trial as the original names them. */
  tried(): { path: string; port: number }[] {
    const { trace } = this.film;
    return [...this.chosen].flatMap((key) => {
      const [node, port] = key.split(" ").map(Number) as [number, number];
      const there = originalOf(trace, this.original, node);
      return there === null ? [] : [{ path: this.original.nodes[there]!.path, port }];
    });
  }

  /** The one time step of the uses on trial, of a parameter; null where they are of several, or of something else. */
  step(): number | null {
    const { trace } = this.film;
    if (trace.nodes[this.target.node]!.role !== "parameter") return null;
    const times = new Set([...this.chosen].map((key) => trace.nodes[Number(key.split(" ")[0])]!.time));
    const [only] = times;
    return times.size === 1 ? (only ?? null) : null;
  }
}
