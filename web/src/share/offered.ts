/** What is shared of a page that shows several films: a page of one shares its session's. */
import type { Route } from "../app/routing";
import type { Session } from "../app/session.svelte";

export interface SharedFilm {
  session: Session;
  name: string;
  /** Where it is shown alone, and the same at the moment that is shown here. */
  route: Route;
  hash: string;
}

export interface Offer {
  films: SharedFilm[];
  /** Which of them files are made of, until another is chosen. */
  followed: number;
  /** The line under a picture, and what its file is called. */
  caption: string;
  parts: (string | number)[];
}

/** Set by a page that shows several films, and asked when something is shared; it gives null while there are none yet. */
export const offered: { now: (() => Offer | null) | null } = { now: null };
