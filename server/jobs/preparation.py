"""What a worker is prepared with: one BLAS thread, so much memory, a patient garbage collector.

Imports nothing heavy: it runs before numpy is loaded.
"""

from __future__ import annotations

import gc
import os
import resource

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def initialise(memory: int) -> None:
    """Prepares a worker: workers share the processor between them, and sums have one order; beyond `memory` bytes it gets no more.

    A trace in the making is a hundred thousand objects that all live until it is sent, and the engine makes no cycles: the garbage
    collector would look through them again and again, and find nothing.
    """
    gc.set_threshold(50_000, 20, 50)
    for variable in _VARIABLES:
        os.environ[variable] = "1"
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = memory if most == resource.RLIM_INFINITY else min(memory, most)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, most))
