"""The functions that formulas may call, on arrays.

One form of the sigmoid everywhere: scipy's `expit`, which keeps the tail that ``0.5*tanh(x/2) + 0.5`` loses in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import special

FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "sigmoid": special.expit,
        "abs": np.abs, "sign": np.sign, "maximum": np.maximum, "minimum": np.minimum, "where": np.where,
    }
)  # fmt: skip

ANALYTIC = frozenset({"exp", "log", "sqrt", "sin", "cos", "tanh"})  # take complex arrays and are complex-differentiable
