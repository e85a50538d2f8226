/** How a film is fetched: with the server's own trace or, where that is gone, made again from its program; with its edits, and without. */
import * as api from "../api/client";
import { Problem } from "../api/problem";
import type { Program } from "../api/types";
import type { Edit } from "../model/program";
import { Trace } from "../model/trace";

/** The film that was asked for; where there is none any more, that of `program`. */
export async function orElse(film: Promise<unknown>, program: Program | null, signal: AbortSignal): Promise<unknown> {
  try {
    return await film;
  } catch (error) {
    if (program && error instanceof Problem && error.status === 404) return api.trace(program, signal);
    throw error;
  }
}

/** A film with its edits, and as it was without them: `known`, where that is there already. */
export async function fetchEdited(fetchFilm: (signal: AbortSignal) => Promise<unknown>, known: Trace | null, edits: Edit[], signal: AbortSignal): Promise<{ trace: Trace; original: Trace | null }> {
  let original = known ?? Trace.from(await fetchFilm(signal));
  if (edits.length === 0) return { trace: original, original: await parentOf(original, signal) };
  const edited = async (): Promise<Trace> => Trace.from(await api.whatIf(original.id, edits, signal));
  try {
    return { trace: await edited(), original };
  } catch (error) {
    if (!known || !(error instanceof Problem && error.status === 404)) throw error;
    original = Trace.from(await fetchFilm(signal)); // the server has it no more
    return { trace: await edited(), original };
  }
}

/** What a stored what-if was made of; null where that cannot be had. The film itself where nothing was edited. */
async function parentOf(trace: Trace, signal: AbortSignal): Promise<Trace | null> {
  const { parent } = trace;
  if (!parent) return trace;
  try {
    return Trace.from(await orElse(api.storedTrace(parent.id, signal), parent.program, signal));
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}
