"""Programs become traces: an expression with inputs, or a step of a network's training."""
