/** The one state of a film on the stage: the trace, the moment, what is selected and how it is looked at. */
import { MediaQuery } from "svelte/reactivity";
import * as api from "../api/client";
import { Latest } from "../api/latest";
import { asProblem, Problem } from "../api/problem";
import type { Check, Program, Run, TaskInfo } from "../api/types";
import type { Language } from "../i18n/languages";
import type { Target } from "../model/explain";
import { Film } from "../model/film";
import { NetworkGrid } from "../model/network";
import { Recent } from "../model/recent";
import { nextStop, previousStop, stops, type Stride } from "../model/stops";
import type { Edit } from "../model/program";
import { Trace } from "../model/trace";
import { OpenGroups } from "../graph/openGroups.svelte";
import { showView } from "../share/moment";
import type { View } from "../share/view";
import { Breakpoints } from "../transport/breakpoints.svelte";
import { createPlayer } from "../transport/play";
import { samePlace } from "../whatif/place";
import { shownNode } from "../whatif/edits";
import { History } from "../whatif/history.svelte";
import { fetchEdited, orElse } from "./fetchFilm";
import { guide } from "./guide";
import { preferences, type Theme } from "./preferences.svelte";
import type { Route } from "./routing";
import { taskList } from "./tasks.svelte";

/** What a link says beside its film: what to change in it, and how to look at it. */
export interface Arrival {
  edits?: Edit[];
  view?: View;
  /** The address of the film, and of the one that was edited: what is there already is not fetched again. */
  address?: string;
  base?: string;
}

const KEPT = 4; // films of the last addresses: undo and redo go back to them at once

export type TrayTab = "gradient" | "bptt" | "pairs" | "parameters" | "histograms" | "curves" | "events";

const COLUMN = 450; // ms a column takes while the forward pass with the new parameters runs

export class Session {
  trace = $state.raw<Trace | null>(null);
  moment = $state(0);
  /** After the film comes one more stop, the forward pass with the new parameters: the step it has reached. Null: the film itself is shown. */
  afterStep = $state<number | null>(null);
  stride = $state<Stride>("cell");
  playing = $state(false);
  /** Lecture mode: one picture and one sentence in place of the page. */
  lecture = $state(false);
  /** Row of the batch that is shown; ALL: the mean over all of them. */
  example = $state(0);
  /** Layer and direction that is looked at, by the end of its parameters' names (`l1_reverse`); null: the top layer, forward. */
  chain = $state<string | null>(null);
  /** Among opened cells: one element at a time. */
  #single = $state(false);
  /** Nodes at whose events a playing film stops. */
  readonly breakpoints = new Breakpoints();
  tab = $state<TrayTab>("bptt");
  status = $state<"loading" | "ready" | "error">("loading");
  error = $state.raw<Problem | null>(null);
  /** The film as it was before any edits; the film itself where there are none. Null where it could not be had. */
  original = $state.raw<Trace | null>(null);
  /** Why the last edits were refused; the film before them stays. */
  refused = $state.raw<Problem | null>(null);
  /** Whether the stage and the inspector say what edits have changed. */
  marksChanges = $state(true);
  /** Beyond this moment the film does not go: what comes next is to be predicted. */
  hold = $state<number | null>(null);
  /** The next film that is opened keeps the place and what is selected. */
  stays = false;
  /** How many films were opened, edits of one not counted. */
  films = $state(0);
  /** The next film that is opened is no change of this one: it begins at its beginning. */
  anew = false;
  readonly history = new History();
  /** The address that this film was opened from; null as long as there is none. */
  address: string | null = null;
  /** What a link asked for and this film has not: names of its fields. */
  missed = $state.raw<string[]>([]);
  /** What is explained while no number is chosen, in place of what the film would show by itself. */
  lead = $state.raw<Target | null>(null);
  /** The groups of a graph, open and closed. */
  readonly groups = new OpenGroups(() => this.trace);
  /** The run that the Curves tab shows. */
  run = $state.raw<Run | null>(null);

  /** The number that was last chosen by hand, as it was in its film: the same one in another film was not asked for again. */
  picked = $state.raw<Target | null>(null);
  #chosen = $state.raw<Target | null>(null);
  #focus = $state<number | null>(null);
  /** The moment at which the opened cell was opened. */
  #focusedAt = 0;
  /** Whether the tray was opened (or folded) by hand; null: as the height of the window has it. */
  #tray = $state<boolean | null>(null);
  #sweep: ReturnType<typeof setInterval> | undefined;
  readonly #low = new MediaQuery("(min-width: 1180px) and (max-height: 819px)");
  readonly #lowForRows = new MediaQuery("(min-width: 1180px) and (max-height: 1099px)");
  readonly #requests = new Latest();
  readonly #kept = new Recent<string, { trace: Trace; original: Trace | null }>(KEPT);
  #base: string | null = null;
  /** The address of the film that is shown, while another one is asked for. */
  #shown: string | null = null;

  readonly film: Film | null = $derived(this.trace ? new Film(this.trace) : null);
  readonly originalFilm: Film | null = $derived(this.original && this.original !== this.trace ? new Film(this.original) : null);
  /** What was changed in the original, as the server wrote it down. */
  readonly edits: readonly Edit[] = $derived(this.trace?.edits ?? []);
  readonly #whole: NetworkGrid | null = $derived(this.trace ? NetworkGrid.of(this.trace) : null);
  readonly grid: NetworkGrid | null = $derived(this.#whole?.showing(this.#whole.chains.find(({ suffix }) => suffix === this.chain) ?? null) ?? null);
  readonly stops: number[] = $derived(this.film ? stops(this.film, this.stride) : [0]);
  readonly phase = $derived(this.film ? this.film.phaseAt(this.moment) : "forward");
  /** How many steps the example that is shown has; 0 for expressions. */
  readonly steps: number = $derived(this.grid ? (this.grid.examples[this.example]?.length ?? this.grid.columns.length) : 0);
  /** Nothing comes after this. */
  readonly atEnd: boolean = $derived(this.film !== null && this.moment === this.film.length && (this.after || !this.trace?.after));
  /** The number that is explained: the chosen one, or the one the film has come to. */
  readonly selection: Target | null = $derived(this.#chosen ?? this.lead ?? (this.film ? guide(this.film, this.grid, this.moment, this.example, this.focus === null ? null : { t: this.focus, still: this.focusStays }) : null));
  /** Its example is of no part that is trained on: there was no update, the film shows what one would do. */
  readonly untrained: boolean = $derived(this.trace?.program.kind === "network" && (this.trace.program.part ?? "train") !== "train");
  /** What the server says about the task of this film; null for expressions. */
  readonly task: TaskInfo | null = $derived.by(() => {
    const program = this.trace?.program;
    return program?.kind === "network" ? taskList.named(program.task) : null;
  });

  readonly #player = createPlayer({
    moment: () => this.moment,
    stops: () => this.stops,
    breaks: () => (this.trace ? this.breakpoints.moments(this.trace) : []),
    speed: () => preferences.speed,
    onMoment: (moment) => (this.moment = moment),
    onBreak: () => (this.playing = false),
    onEnd: () => {
      this.playing = false;
      this.#runAgain();
    },
  });

  get after(): boolean {
    return this.afterStep !== null;
  }

  /** The time step whose card is the opened one (all open alike); null: the cells are closed. */
  get focus(): number | null {
    return this.#focus === null || this.steps === 0 ? null : Math.min(this.#focus, this.steps);
  }

  set focus(t: number | null) {
    this.#focus = t;
    this.#focusedAt = this.moment;
  }

  /** The film has not moved since the cell was opened, which it would take along. */
  get focusStays(): boolean {
    return this.#focusedAt === this.moment;
  }

  /** cell: closed cells. vector: opened ones. scalar: one element of one cell. */
  get level(): "cell" | "vector" | "scalar" {
    return this.focus === null ? "cell" : this.#single ? "scalar" : "vector";
  }

  /** Needs an opened cell for all but `cell`. */
  set level(level: "cell" | "vector" | "scalar") {
    if (level === "cell") this.focus = null;
    this.#single = level === "scalar";
  }

  get opened(): boolean {
    return this.focus !== null;
  }

  /** The window is too low for the tray and all of a column: of one cell, or of three and more above each other. */
  get #cramped(): boolean {
    return ((this.grid?.chains.length ?? 1) > 2 ? this.#lowForRows : this.#low).current;
  }

  /** The tray gives its room to opened cells, and to the stage of a low window until it is asked for. */
  get folded(): boolean {
    if (this.trace && !this.grid) return this.tab !== "events"; // of a graph the tray has nothing else
    return this.opened || !(this.#tray ?? !this.#cramped);
  }

  get lang(): Language {
    return preferences.lang;
  }

  get theme(): Theme {
    return preferences.theme;
  }

  /** Whether the number explained was chosen by hand. */
  get pinned(): boolean {
    return this.#chosen !== null;
  }

  // -- films ------------------------------------------------------------------------------------

  openOpening(arrival: Arrival = {}): Promise<boolean> {
    return this.#open((signal) => api.opening(signal), arrival);
  }

  openProgram(program: Program, arrival: Arrival = {}): Promise<boolean> {
    return this.#open((signal) => api.trace(program, signal), arrival);
  }

  /** `program`: what makes the same film where the server has the trace no more. */
  openTrace(id: string, arrival: Arrival = {}, program: Program | null = null): Promise<boolean> {
    return this.#open((signal) => orElse(api.storedTrace(id, signal), program, signal), arrival);
  }

  /** `program`: what makes the same film where the server has the run no more. */
  async openStep({ run, step, example, part }: Pick<Route, "run" | "step" | "example" | "part">, arrival: Arrival = {}, program: Program | null = null): Promise<boolean> {
    if (run === null || step === null) throw new Error("There is no step to open: name a run and one of its steps.");
    let record: Run | null = this.run?.id === run ? this.run : null;
    const opened = await this.#open(async (signal) => {
      const stepOfRun = async (): Promise<unknown> => {
        record = await api.run(run, signal);
        return api.stepTrace(run, step, example, part, signal);
      };
      return orElse(stepOfRun(), program, signal);
    }, arrival);
    if (opened) this.run = record;
    return opened;
  }

  /** Fetches a film and shows it. False when it failed, or when a newer request has taken its place. */
  async #open(fetchFilm: (signal: AbortSignal) => Promise<unknown>, { edits = [], view, address, base }: Arrival): Promise<boolean> {
    this.pause();
    this.error = null;
    this.refused = null;
    const { stays, anew } = this;
    this.stays = this.anew = false;
    const kept = stays && address !== undefined ? this.#kept.get(address) : undefined;
    if (kept) this.#requests.cancel();
    else this.status = "loading";
    try {
      const known = base !== undefined && base === this.#base ? this.original : null;
      const found = kept ?? (await this.#requests.run((signal) => fetchEdited(fetchFilm, known, edits, signal)));
      if (found === undefined) return false;
      this.#base = base ?? null;
      if (address !== undefined) this.#kept.set(address, found);
      this.#shown = this.address;
      this.load(found.trace, found.original, stays, anew);
      if (view) this.missed = showView(this, view);
      this.run = null;
      return true;
    } catch (error) {
      const problem = asProblem(error) ?? new Problem("unexpected", String(error), 0);
      if (stays && this.trace) {
        this.refused = problem;
        this.status = "ready";
      } else this.fail(problem);
      return false;
    }
  }

  /** Shows `trace`. The place in the film, and the number chosen, stay where they can; after an edit (`stays`) also where the film has become longer, never where it begins `anew`. */
  load(trace: Trace, original: Trace | null = trace, stays = false, anew = false): void {
    this.pause();
    if (anew) this.#rewind();
    this.missed = [];
    this.original = original;
    this.hold = null;
    const before = this.trace;
    const chosen = this.#chosen && before ? rechosen(this.#chosen, before, trace) : null;
    const alike = before !== null && before.events.length === trace.events.length;
    const ended = before !== null && this.moment === before.events.length;
    const moment = stays && before ? samePlace(before, this.moment, trace) : alike ? this.moment : ended ? trace.events.length : 0;
    this.trace = trace;
    if (anew && (this.grid?.chains.length ?? 1) > 1) this.#tray = null; // unfolded over one row of cells, it leaves no room for several
    if (!stays) {
      this.films++;
      this.groups.chosen = null;
    }
    this.moment = moment;
    this.#chosen = chosen;
    const rows = trace.batch?.examples.length ?? 1;
    this.example = Math.min(this.example, rows - 1);
    if (rows <= 1) this.example = 0;
    this.breakpoints.keep(trace);
    this.afterStep = this.after && moment === trace.events.length && trace.after !== null ? this.steps : null;
    this.status = "ready";
    this.error = null;
  }

  /** As a film begins: nothing has happened, nothing is chosen. */
  #rewind(): void {
    this.moment = this.example = 0;
    this.afterStep = this.focus = this.chain = this.#chosen = this.lead = null;
  }

  /** What is to be shown is not known yet. */
  wait(): void {
    this.#requests.cancel();
    this.pause();
    this.error = null;
    this.status = "loading";
  }

  fail(problem: Problem): void {
    this.#requests.cancel();
    this.missed = [];
    this.error = problem;
    this.status = "error";
  }

  /** The film that was asked for could not be fetched for want of a server; the one before is there still, and plays. */
  get waits(): boolean {
    return this.status === "error" && this.error?.offline === true && this.trace !== null;
  }

  /** Gives up what is being fetched, or waits for a server. True: the film before stays; where the page went for the other one it has to go back. */
  giveUp(): boolean {
    this.#requests.cancel();
    this.address = this.trace ? this.#shown : null;
    this.error = this.trace ? null : new Problem("given_up", "", 0);
    this.status = this.trace ? "ready" : "error";
    return this.trace !== null;
  }

  // -- the transport ----------------------------------------------------------------------------

  go(moment: number): void {
    this.pause();
    this.afterStep = null;
    this.moment = Math.max(0, Math.min(this.hold ?? this.film?.length ?? 0, Math.round(moment)));
  }

  /** To the next of `list`; from the end of the film to the forward pass with the new parameters, which stays. */
  next(list = this.stops): void {
    if (this.film && this.moment === this.film.length) this.last();
    else this.go(nextStop(list, this.moment));
  }

  previous(list = this.stops): void {
    this.go(this.after ? this.moment : previousStop(list, this.moment));
  }

  first(): void {
    this.go(0);
  }

  last(): void {
    this.go(this.film?.length ?? 0);
    if (this.trace?.after && this.hold === null) this.afterStep = this.steps;
  }

  play(): void {
    if (!this.film || this.hold !== null) return;
    this.go(this.atEnd ? 0 : this.moment);
    this.playing = true;
    this.#player.play();
  }

  /** Stops where the film is; a forward pass with the new parameters that is under way is completed at once. */
  pause(): void {
    this.playing = false;
    this.#player.pause();
    clearInterval(this.#sweep);
    if (this.after) this.afterStep = this.steps;
  }

  /** The forward pass with the new parameters, one column after the other. */
  #runAgain(): void {
    this.last();
    if (!this.after || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.afterStep = 0;
    this.#sweep = setInterval(() => {
      this.afterStep = (this.afterStep ?? 0) + 1;
      if (this.afterStep >= this.steps) clearInterval(this.#sweep);
    }, COLUMN);
  }

  /** Playing stops, or stops no longer, at the events of the number that is explained. */
  toggleBreak(): void {
    if (this.trace && this.selection) this.breakpoints.toggle(this.trace.node(this.selection.node).path);
  }

  setStride(stride: Stride): void {
    this.stride = stride;
  }

  // -- what is looked at ------------------------------------------------------------------------

  /** Explains `target` from now on; null lets the inspector follow the film again. */
  select(target: Target | null): void {
    this.pause();
    this.#chosen = this.picked = target;
  }

  /** Opens the card of step `t` (all open alike), or closes the open one. */
  toggleCell(t: number): void {
    this.pause();
    this.focus = this.focus === t ? null : t;
    this.#single = false;
  }

  /** What the film or a statement is about is in the tray: it unfolds, unless it was folded by hand. */
  unfoldTray(): void {
    this.#tray ??= true;
  }

  /** Shows `tab`; once more, where the window is low or a graph is shown, folds the tray again. */
  chooseTab(tab: TrayTab): void {
    if (!this.grid) {
      this.tab = this.folded ? tab : "bptt";
      return;
    }
    this.#tray = this.folded || this.tab !== tab || !this.#cramped;
    this.tab = tab;
    this.focus = null;
  }

  /** Central differences for the gradient `target`, or for the one contribution to it, computed by the server. */
  check(target: Target): Promise<Check> {
    if (!this.trace || !this.film) throw new Error("There is no film to check: load one first.");
    const one = target.part === undefined ? null : this.film.contributions(target.node)[target.part]!;
    return api.check(this.trace.id, target.node, target.index, one && { node: one.node, port: one.port });
  }
}

/** The same number in another trace: the node of the same path, when the index still fits. */
function rechosen(target: Target, before: Trace, now: Trace): Target | null {
  const path = before.node(before.typedOver(target.node) ?? target.node).path;
  const id = shownNode(now, path);
  const node = id === null ? null : now.node(id);
  if (!node || node.shape.length !== target.index.length) return null;
  const same = target.part === undefined || before.consumers(target.node).length === now.consumers(node.id).length; // else the edges are others
  if (!same || !target.index.every((at, axis) => at < node.shape[axis]!)) return null;
  const { term, ...whole } = target;
  const known = term !== undefined && Object.values(now.rules).some((rule) => rule.terms.some(({ name }) => name === term)); // else another optimizer
  return { ...whole, node: node.id, ...(known && { term }) };
}
