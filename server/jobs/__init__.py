"""Long computation, in worker processes."""
