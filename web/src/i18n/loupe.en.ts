/** The loupe over gradient lanes. */
export default {
  "loupe.name": "Loupe",
  "loupe.refitted": "refitted, not the locked scale",
  "loupe.zone": "asinh: linear from −{zone} to +{zone}, logarithmic beyond",
  "loupe.beyond": "An arrowhead: it goes on beyond the edge, ±{max}.",
  "loupe.zeros": "All of these are exactly 0: there is nothing to fit a scale to.",
  "loupe.time": "Through time",
  "loupe.elements": "Elements beside it",
  "loupe.edges": "Along the edges, from the loss backward",
  "loupe.not_yet": "not yet",
  "loupe.here": "the number looked at",
  "loupe.said": "Loupe: {name}, {value}. Refitted, not the locked scale; linear up to {zone}.",
  "loupe.said_zero": "Loupe: {name}, {value}.",
  "loupe.none": "No gradient is in view.",
};
