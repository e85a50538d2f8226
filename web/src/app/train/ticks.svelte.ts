/** Runs that were ticked in the list to be compared: the list's button and the tab of comparisons take them along. */
class Ticks {
  runs = $state.raw<readonly string[]>([]);
}

export const ticks = new Ticks();
