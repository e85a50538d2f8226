/** What stage, transport and tray share beyond the session: where the stage is scrolled to, its measures, and how a change came about. */
import type { Session } from "../app/session.svelte";
import { classTitle } from "../app/tasks.svelte";
import type { Film } from "../model/film";
import { ALL, gradientSlice, slice } from "../model/network";
import { beats, type Beat } from "../model/stops";
import type { Numbers, Tensor } from "../model/trace";
import { originalOf } from "../whatif/edits";
import { contentWidth, indentAt, layoutOf, LEAST_PITCH, scrollToColumn, TRAY_NAMES, trayWidth, type Layout, type LayoutInput } from "./layout";
import { marksAt, stepInView, type Marks } from "./marks";
import { closes, opens, within } from "./zoom";

/** Playing has the tokens' durations, a key step at most 150 ms, scrubbing none. */
export type Motion = "play" | "key" | "none";

const TIGHT = 0.9; // a usual column that would be shown smaller than this has lower rows instead

export class StageView {
  /** Where the stage is scrolled to and how wide it is, in px of the screen. */
  scroll = $state(0);
  width = $state(0);
  /** How high a wide window's stage is; 0 where that depends on what it shows. */
  height = $state(0);
  /** How many times its size each level is shown. */
  readonly zooms = $state({ cell: 1, vector: 1, scalar: 1 });
  /** The zoom of closed cells that the stage has chosen by itself. */
  #unasked = 1;
  /** How high closed tiles would be where opened ones have their own size; only while the cells are open because of a zoom. */
  #passed = $state<number | null>(null);
  /** Closed by hand after a zoom had opened them: larger tiles do not open them again. */
  #stayClosed = $state(false);
  /** The stage was scrolled by hand: playing does not scroll it until the next step or play. */
  held = false;
  scrubbing = $state(false);
  /** The two steps that the tray compares; null: none. */
  pair = $state.raw<{ t: number; s: number } | null>(null);
  /** Which of the session's films the stage is scrolled for. */
  film = 0;
  /** What scrolls the stage, where it is shown. */
  scroller = $state.raw<HTMLElement | null>(null);

  get zoom(): number {
    return this.zooms[this.session.level];
  }

  /** What of the stage is seen, in px at 100 %: from where, and how much. */
  readonly from: number = $derived.by(() => this.scroll / this.zoom);
  readonly reach: number = $derived.by(() => this.width / this.zoom);

  /** The columns of the tray: under those of the stage, as far apart, but where that leaves no room for what they hold and for the names beside them. Then they have their own distance. */
  readonly tray: Layout | null = $derived.by(() => {
    const { layout, zoom } = this;
    if (!layout || zoom === 1) return layout;
    const { x0, x1, pitch, card } = layout;
    const spread = { x0: x0 * zoom, x1: x1 * zoom, pitch: pitch * zoom, card: card * zoom };
    const room = spread.pitch >= LEAST_PITCH && (layout.slim || spread.x1 - trayWidth(spread.pitch) / 2 > TRAY_NAMES - 1);
    return room ? { ...layout, ...spread } : layout;
  });

  /** Where the tray's columns begin: where those of the stage do; where they have their own distance, where the film is. */
  readonly along: number = $derived.by(() => {
    if (this.tray !== this.layout || this.zoom === 1 || !this.layout) return this.scroll;
    const from = Math.max(0, Math.min(this.from, contentWidth(this.layout, this.columns) - this.width));
    return this.step === null ? from : scrollToColumn(this.layout, this.columns, this.step, from, this.width);
  });

  readonly #drawn: LayoutInput | null = $derived.by(() => {
    const { grid } = this.session;
    if (!grid) return null;
    const tall = grid.batch.display === "pairs";
    const { layers, bidirectional } = grid.stack;
    const input: LayoutInput = { hidden: grid.hidden, cell: grid.cell, slim: this.width > 0 && this.width < 480, tall, layers, directions: bidirectional ? 2 : 1 };
    return { ...input, low: this.height > 0 && this.height < TIGHT * layoutOf(input).height };
  });

  readonly layout: Layout | null = $derived.by(() => this.layoutAt(this.zooms.cell));

  layoutAt(zoom: number): Layout | null {
    const input = this.#drawn;
    return input && layoutOf({ ...input, indent: indentAt(layoutOf(input), zoom) });
  }

  /** How wide the closed cells are, in px at 100 %, if they are shown at this zoom. */
  widthAt(zoom: number): number {
    const layout = this.layoutAt(zoom);
    return layout ? contentWidth(layout, this.columns) : 0;
  }

  readonly motion: Motion = $derived.by(() => {
    if (this.scrubbing) return "none";
    const { playing, afterStep, steps } = this.session;
    return playing || (afterStep !== null && afterStep < steps) ? "play" : "key";
  });

  /** Columns that are drawn: the steps of the example shown, and one more for all that longer sequences of its batch go on for. */
  readonly columns: number = $derived.by(() => {
    const { grid, steps } = this.session;
    return steps + (grid && grid.columns.length > steps ? 1 : 0);
  });

  readonly beats: Beat[] = $derived.by(() => (this.session.film ? beats(this.session.film) : []));

  readonly marks: Marks = $derived.by(() => marksAt(this.beats, this.session.moment));

  /** The column in which something has just happened; null while nothing does in any. */
  readonly step: number | null = $derived.by(() => {
    const { afterStep, moment } = this.session;
    return afterStep === null ? stepInView(this.beats, moment, this.columns) : Math.max(1, afterStep);
  });

  /** The layer and direction in which something has just happened; null while nothing does in any. */
  readonly chain: string | null = $derived.by(() => (this.session.after || this.marks.done?.what !== "step" ? null : (this.marks.done.chain ?? null)));

  /** The largest |dL/dh| (and |dL/dc|) of the complete film: the one locked, linear scale of all lanes of the stage. */
  readonly gradientScale: number = $derived.by(() => {
    const { grid, trace, example } = this.session;
    let largest = 0;
    for (const column of grid?.chains.flatMap((chain) => chain.columns) ?? []) {
      if (example >= column.rows) continue;
      for (const node of [column.h, column.c]) {
        const gradient = node === null ? null : trace!.gradient(node);
        if (gradient) for (const g of gradientSlice(gradient, example)) if (Number.isFinite(g)) largest = Math.max(largest, Math.abs(g));
      }
    }
    return largest || 1;
  });

  /** Gradients are shown from the first on; those of the old parameters say nothing of the forward pass with the new ones. */
  readonly lanes: boolean = $derived.by(() => (this.session.phase === "backward" || this.session.phase === "update") && !this.session.after);

  constructor(private readonly session: Session) {}

  /** Moves the stage so that `left` of its content, in px at 100 %, is at its left edge. */
  scrollTo(left: number): void {
    this.scroller?.scrollTo({ left: left * this.zoom, behavior: "instant" });
  }

  /** Shows this level `zoom` times its size. The level that this asks for: passing a height of their tiles opens the cells, and closes those that were so opened; never while the film plays. */
  zoomTo(zoom: number, open: { tile: number; width: number }): "open" | "close" | null {
    const { level } = this.session;
    if (level === "scalar" || !this.layout || this.motion === "play") {
      this.zooms[level] = zoom;
      return null;
    }
    if (level === "cell") {
      const tile = this.layout.tile * zoom;
      this.zooms.cell = zoom;
      if (this.#stayClosed || !opens(tile / this.#large)) return null;
      this.zooms.vector = Math.max(1, Math.min(tile / open.tile, this.width / (open.width + 32)));
      this.#passed = tile / this.zooms.vector;
      return "open";
    }
    if (this.#passed === null || !closes((this.#passed * zoom) / this.#large)) {
      this.zooms.vector = zoom;
      return null;
    }
    this.zooms.cell = within((this.#passed * zoom) / this.layout.tile);
    this.#passed = null;
    return "close";
  }

  /** A stage that has chosen to be large has the height that opens a cell, too, as many times. */
  get #large(): number {
    return Math.max(1, this.#unasked);
  }

  /** A new film's closed cells are shown at `zoom`, unless another one was asked for. Whether that is another than before. */
  openAt(zoom: number): boolean {
    const { cell } = this.zooms;
    if (cell === this.#unasked) this.zooms.cell = this.#unasked = zoom;
    return this.zooms.cell !== cell;
  }

  /** Cells that a zoom had opened (true) are to be closed again and have their own size. Else that is for `zoomTo`, and what was closed by hand may open again. */
  resetZoom(): boolean {
    const opened = this.#passed !== null;
    this.#passed = null;
    this.#stayClosed = false;
    if (opened) Object.assign(this.zooms, { cell: 1, vector: 1 });
    return opened;
  }

  /** The cells were closed, by whatever means. */
  closed(): void {
    if (this.#passed === null) return;
    this.#passed = null;
    this.#stayClosed = true;
  }

  /** Whether the mean of the batch is shown: no number of it is one of the record, so none of it is explained. */
  get mean(): boolean {
    return this.session.example === ALL;
  }

  /** A node's value at this moment; with the new parameters where the forward pass that follows the film has come by (step t). */
  value(node: number, t: number): Tensor | null {
    const { film, trace, moment, afterStep } = this.session;
    if (afterStep !== null && t <= afterStep) return trace?.after?.values.get(node) ?? film?.value(node, moment) ?? null;
    return film?.value(node, moment) ?? null;
  }

  /** A parameter as it was when it made what step t shows: before the update, also where the film is past it. */
  used(parameter: number, t: number): Tensor {
    const { trace, afterStep } = this.session;
    return (afterStep !== null && t <= afterStep ? trace!.after?.values.get(parameter) : undefined) ?? trace!.value(parameter);
  }

  /** The shown example's row of a value, and of the gradient that has arrived. */
  row(node: number, t: number): Numbers | null {
    const tensor = this.value(node, t);
    return tensor && slice(tensor, this.session.example);
  }

  gradientRow(node: number): Numbers | null {
    const tensor = this.session.film?.gradient(node, this.session.moment) ?? null;
    return tensor && gradientSlice(tensor, this.session.example);
  }

  /** The original's node, and its film, where edits are marked; null where nothing is. */
  private before(node: number): { node: number; film: Film } | null {
    const { trace, original, originalFilm, marksChanges } = this.session;
    if (!trace || !original || !originalFilm || !marksChanges) return null;
    const there = originalOf(trace, original, node);
    return there !== null && String(original.nodes[there]!.shape) === String(trace.nodes[node]!.shape) ? { node: there, film: originalFilm } : null;
  }

  /** A value as it is without the edits, at the same stage of the film. */
  valueBefore(node: number, t: number): Tensor | null {
    const { film, moment, afterStep } = this.session;
    const there = this.before(node);
    if (!there || !film) return null;
    const { trace } = there.film;
    const update = film.update(node);
    const moved = update && update.event < moment ? there.film.update(there.node)?.terms.get("new") : null;
    const again = afterStep !== null && t <= afterStep ? trace.after?.values.get(there.node) : null;
    return again ?? moved ?? trace.value(there.node);
  }

  /** The same of a complete gradient; null until it is. */
  gradientBefore(node: number): Tensor | null {
    const { film, moment } = this.session;
    const there = this.before(node);
    return there && film?.complete(node, moment) ? there.film.trace.gradient(there.node) : null;
  }

  /** A parameter as `used` has it, without the edits. */
  usedBefore(parameter: number, t: number): Tensor | null {
    const { afterStep } = this.session;
    const there = this.before(parameter);
    if (!there) return null;
    const { trace } = there.film;
    return (afterStep !== null && t <= afterStep ? trace.after?.values.get(there.node) : undefined) ?? trace.value(there.node);
  }

  /** The shown example's row of both. */
  rowBefore(node: number, t: number): Numbers | null {
    const tensor = this.valueBefore(node, t);
    return tensor && slice(tensor, this.session.example);
  }

  gradientRowBefore(node: number): Numbers | null {
    const tensor = this.gradientBefore(node);
    return tensor && gradientSlice(tensor, this.session.example);
  }

  /** Whether a loss stands on the prediction of step t. */
  hasLoss(t: number): boolean {
    const { grid, example, steps } = this.session;
    if (grid?.readout === "every") return true;
    return example === ALL ? grid?.examples.some((one) => one.length === t) === true : t === steps;
  }

  className(index: number): string {
    const { task, grid, lang } = this.session;
    return task ? classTitle(task, index, lang) : (grid?.batch.classes?.[index] ?? String(index));
  }
}

const views = new WeakMap<Session, StageView>();

/** The view that belongs to a session: one for all who draw it, and longer-lived than each of them. */
export function viewOf(session: Session): StageView {
  const known = views.get(session);
  if (known) return known;
  let view!: StageView;
  // In a root of its own: what is derived in a component goes with that component, and would stand still for the next.
  $effect.root(() => {
    view = new StageView(session);
  });
  views.set(session, view);
  return view;
}
