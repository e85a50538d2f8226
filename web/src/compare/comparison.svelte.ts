/** The one state of a comparison: its films, the place where all of them stand, and the one that is followed. */
import * as late from "../api/late";
import { Problem } from "../api/problem";
import type { Checkpoint, NetworkProgram } from "../api/types";
import { preferences } from "../app/preferences.svelte";
import { Session } from "../app/session.svelte";
import type { Target } from "../model/explain";
import { slice } from "../model/network";
import type { Stride } from "../model/stops";
import { createPlayer } from "../transport/play";
import { counterpart } from "./counterpart";
import type { Layout, Payload, Source } from "./link";
import { seriesOf, strongest, type Measure, type Series } from "./norms";
import { programOf } from "./programs";
import { Timeline, type Place, type Point } from "./sync";

export class Comparison {
  panes = $state.raw<Session[]>([]);
  sources = $state.raw<Source[]>([]);
  place = $state.raw<Place>({ point: 0, inner: 0 });
  followed = $state(0);
  stride = $state<Stride>("cell");
  measure = $state<Measure>("share");
  layout = $state<Layout>(preferences.compareLayout);
  /** How far the panes that stand side by side are scrolled, all alike. Pixels. */
  scroll = $state(0);
  playing = $state(false);
  status = $state<"loading" | "ready" | "error">("loading");
  error = $state.raw<Problem | null>(null);
  checkpoints = $state.raw<Checkpoint[]>([]);
  /** The address that these films were opened from. */
  address: string | null = null;
  /** The time step under the pointer. */
  pointed = $state<number | null>(null);
  /** That of the films that are shown, while others are asked for. */
  #shown: string | null = null;
  /** The films that are being fetched. */
  #coming: Session[] = [];
  #request = 0;

  readonly timeline: Timeline = $derived(new Timeline(this.panes.map((pane) => pane.film!)));
  readonly leader: Session | null = $derived(this.panes[this.followed] ?? null);
  readonly steps: number = $derived(Math.max(0, ...this.panes.map((pane) => pane.steps)));
  readonly series: Series[][] = $derived(this.panes.map((pane) => seriesOf(pane.film!, pane.grid!, pane.example, pane.steps)));
  readonly programs: NetworkProgram[] = $derived(this.panes.map((pane) => pane.trace!.program as NetworkProgram));
  readonly atEnd: boolean = $derived(this.place.point >= this.timeline.length);
  /** The number that is explained, in the film that is followed, and the same in every film that has it. */
  readonly selections: (Target | null)[] = $derived.by(() => {
    const { leader } = this;
    const target = leader?.selection ?? null;
    return this.panes.map((pane) => (!target ? null : pane === leader ? target : counterpart(target, leader!.trace!, pane.trace!)));
  });
  /** Where playing stops: after events that touch what is marked in the film that is followed. */
  readonly breaks: number[] = $derived.by(() => {
    const { leader, timeline, followed } = this;
    return leader ? leader.breakpoints.moments(leader.trace!).map((moment) => timeline.numberOf(timeline.placeOf(followed, moment), followed)) : [];
  });
  /** The time step of a number that was chosen by hand. */
  readonly pinnedStep: number | null = $derived.by(() => {
    const { leader } = this;
    return leader?.pinned && leader.selection ? leader.trace!.nodes[leader.selection.node]!.time : null;
  });
  /** The time step that is looked at: under the pointer, else that of a number chosen by hand, else where the films are. */
  readonly step: number | null = $derived(this.pointed ?? this.pinnedStep ?? this.timeline.points[this.place.point - 1]?.time ?? null);

  readonly #player = createPlayer({
    moment: () => this.timeline.numberOf(this.place, this.followed),
    stops: () => this.timeline.stops(this.stride, this.followed),
    breaks: () => this.breaks,
    speed: () => preferences.speed,
    onMoment: (number) => this.#stand(this.timeline.placeAt(number, this.followed)),
    onBreak: () => (this.playing = false),
    onEnd: () => (this.playing = false),
  });

  // -- films ------------------------------------------------------------------------------------

  /** The networks that come with the server, trained. */
  async openTrained(): Promise<boolean> {
    const request = ++this.#request;
    this.status = "loading";
    try {
      await this.#learn();
    } catch (error) {
      if (request === this.#request) this.fail(error);
      return false;
    }
    if (request !== this.#request) return false;
    return this.open({ films: this.checkpoints.map((checkpoint) => ({ program: programOf(checkpoint, true, 0) })), followed: 0, measure: "share" });
  }

  /** Fetches the films that are new, and shows all when they are there. False when one failed, or when a newer request has taken its place. */
  async open({ films, followed, measure, layout }: Payload): Promise<boolean> {
    const request = ++this.#request;
    this.pause();
    this.status = "loading";
    this.error = null;
    const known = new Map(this.sources.map((source, i) => [JSON.stringify(source), this.panes[i]!]));
    const panes = films.map((source) => known.get(JSON.stringify(source)) ?? new Session());
    this.#coming = panes.filter((pane) => pane.trace === null);
    const [opened] = await Promise.all([
      Promise.all(panes.map((pane, i) => pane.trace !== null || ("trace" in films[i]! ? pane.openTrace(films[i].trace) : pane.openProgram(films[i]!.program)))),
      this.#learn().catch(() => undefined), // the panel says that there are none
    ]);
    if (request !== this.#request) return false;
    this.#coming = [];
    const failed = panes.find((_, i) => !opened[i]);
    if (failed || panes.some((pane) => !pane.grid)) {
      this.fail(failed?.error ?? new Problem("no_networks", "", 0));
      return false;
    }
    if (layout) this.layout = layout;
    this.#show(panes, films, followed, measure);
    return true;
  }

  #show(panes: Session[], films: Source[], followed: number, measure: Measure): void {
    const before = this.panes.length > 0 ? { length: this.timeline.length, place: this.place } : null;
    const chosen = this.leader?.pinned ? { target: this.leader.selection!, trace: this.leader.trace! } : null;
    this.panes = panes;
    this.#shown = this.address;
    this.sources = films;
    this.followed = Math.min(followed, panes.length - 1);
    this.measure = measure;
    for (const pane of panes) pane.example = 0;
    const target = chosen && counterpart(chosen.target, chosen.trace, this.leader!.trace!);
    for (const pane of panes) pane.select(pane === this.leader ? target : null);
    this.status = "ready";
    this.error = null;
    this.#stand(before?.length === this.timeline.length ? before.place : { point: this.backwardEnd, inner: 0 });
  }

  async #learn(): Promise<void> {
    if (this.checkpoints.length === 0) this.checkpoints = await late.checkpoints();
  }

  /** Gives up the films that are being fetched. True: those before stay; where the page went for others it has to go back. */
  giveUp(): boolean {
    for (const pane of this.#coming) pane.giveUp();
    this.#coming = [];
    if (this.panes.length === 0) this.fail(new Problem("given_up", "", 0));
    else {
      this.#request += 1;
      this.status = "ready";
      this.address = this.#shown;
      this.panes = [...this.panes]; // fields say again what is shown
    }
    return this.panes.length > 0;
  }

  fail(error: unknown): void {
    this.#request += 1;
    this.pause();
    this.error = error instanceof Problem ? error : new Problem("unexpected", String(error), 0);
    this.status = "error";
  }

  // -- the transport ----------------------------------------------------------------------------

  /** The point at which all gradients have arrived. */
  get backwardEnd(): number {
    return this.timeline.points.findLastIndex((point) => point.phase === "backward") + 1;
  }

  #stand(place: Place): void {
    this.place = place;
    this.timeline.moments(place, this.followed).forEach((moment, i) => (this.panes[i]!.moment = moment));
    for (const pane of this.panes) pane.lead = pane === this.leader ? leadOf(pane, this.timeline.points[place.point - 1]) : null;
  }

  go(place: Place): void {
    this.pause();
    this.#stand({ point: Math.max(0, Math.min(this.timeline.length, Math.round(place.point))), inner: place.inner });
  }

  /** To a moment of the film that is followed. */
  goTo(moment: number): void {
    this.go(this.timeline.placeOf(this.followed, Math.max(0, Math.min(moment, this.leader!.film!.length))));
  }

  next(stride = this.stride): void {
    this.go(this.timeline.next(this.place, stride, this.followed));
  }

  previous(stride = this.stride): void {
    this.go(this.timeline.previous(this.place, stride, this.followed));
  }

  first(): void {
    this.go({ point: 0, inner: 0 });
  }

  last(): void {
    this.go({ point: this.timeline.length, inner: 0 });
  }

  /** From the end of the backward pass on there is little to be seen: it begins again. */
  play(): void {
    this.go(this.place.point >= this.backwardEnd ? { point: 0, inner: 0 } : this.place);
    this.playing = true;
    this.#player.play();
  }

  pause(): void {
    this.playing = false;
    this.#player.pause();
  }

  // -- what is looked at ------------------------------------------------------------------------

  /** The film whose events are stepped through, and whose numbers are explained. What was chosen stays where the film has it. */
  follow(pane: number): void {
    if (pane === this.followed) return;
    this.pause();
    const target = this.leader?.pinned ? this.selections[pane]! : null;
    this.leader?.select(null);
    this.followed = pane;
    this.leader!.select(target);
    this.#stand({ point: this.place.point, inner: 0 });
  }

  /** Explains a number of a film, which is followed from now on. */
  select(pane: number, target: Target | null): void {
    this.pause();
    if (pane !== this.followed) {
      this.leader?.select(null);
      this.followed = pane;
      this.#stand({ point: this.place.point, inner: 0 });
    }
    this.leader!.select(target);
  }
}

/** While no number is chosen: on the way back the strongest element of dL/dh_t, which every film has. Null: what the film itself would show. */
function leadOf(pane: Session, point: Point | undefined): Target | null {
  if (point?.phase !== "backward" || point.time === null) return null;
  const node = pane.grid?.column(point.time)?.h;
  const gradient = node === undefined ? null : pane.film!.gradient(node, pane.moment);
  return gradient && { kind: "gradient", node: node!, index: [pane.example, strongest(slice(gradient, pane.example))] };
}
