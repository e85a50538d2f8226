/** Opens the film that a statement is looked into on. */
import * as api from "../api/client";
import { router } from "../app/router.svelte";
import { filmAddress, formatRoute, parseRoute } from "../app/routing";
import type { NetworkProgram } from "../model/program";
import { NO_VIEW } from "../share/view";
import { claims } from "./claims.svelte";
import { CLAIM, type ClaimId } from "./list";

let opening: NetworkProgram | null = null;

export async function startClaim(id: ClaimId): Promise<void> {
  const { page, program } = CLAIM[id];
  if (program && page === "network") opening ??= ((await api.opening()) as { program: NetworkProgram }).program;
  // Every field is given, so that the film stands still at its beginning and shows nothing else.
  const address = formatRoute({ page, program: program ? program(opening!) : null, view: { ...NO_VIEW, at: 0 } });
  claims.page = page;
  claims.now = id;
  claims.placed = false;
  claims.address = filmAddress(parseRoute(address));
  claims.round += 1;
  router.go(parseRoute(address));
}
