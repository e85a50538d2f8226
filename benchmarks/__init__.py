"""Measurements of the engine, side by side with its peers: ``python -m benchmarks.engine``."""
