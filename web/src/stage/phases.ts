/** What the phases are called, and their colours: ink for what is computed, plum for gradients, green for the update. */
import type { Phase } from "../model/trace";

export const PHASE_NAMES: Record<Phase, string> = {
  forward: "stage.phase.forward",
  loss: "stage.phase.loss",
  backward: "stage.phase.backward",
  update: "stage.phase.update",
};

export const PHASE_HUES: Record<Phase, string> = { forward: "--ink-1", loss: "--ink-1", backward: "--grad", update: "--update" };
