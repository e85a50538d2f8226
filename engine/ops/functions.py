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
        "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos,
        "tanh": np.tanh, "sigmoid": special.expit, "erf": special.erf, "erfc": special.erfc, "abs": np.abs, "sign": np.sign,
        "maximum": np.maximum, "minimum": np.minimum, "where": np.where,
    }
)  # fmt: skip

# Take complex arrays and are complex-differentiable.
ANALYTIC = frozenset({"exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "erf", "erfc"})

# Give whole numbers for whole numbers; comparisons do too.
WHOLE = frozenset({"abs", "sign", "maximum", "minimum", "where", "lt", "le", "gt", "ge", "eq"})
