"""What outlives a restart: traces, runs and their checkpoints. Only the server's own process writes."""
