"""One BLAS thread a worker. This module imports nothing heavy: a worker runs it before numpy is loaded."""

from __future__ import annotations

import os

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def initialise() -> None:
    """Prepares a worker: workers share the processor between them, and sums have one order."""
    for variable in _VARIABLES:
        os.environ[variable] = "1"
