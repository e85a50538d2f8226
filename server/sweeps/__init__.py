"""Searches for hyper-parameters: what may vary, and what Optuna makes of the trials so far."""
