"""Elementwise arithmetic: a formula, a derivative an input, samples and kinks. Nothing else is written about them."""

from __future__ import annotations

import numpy as np

from engine.ops.op import Kink, Sample, elementwise

ONE = (
    Sample((0.3,)), Sample(([-1.7, -0.2, 0.6, 2.1],)), Sample(([[0.4, -0.9], [1.3, -2.2]],)), Sample(([],)),
    Sample(([0.6],)), Sample(([[], []],)),
)  # fmt: skip
_POSITIVE = (Sample((0.3,)), Sample(([0.2, 0.6, 2.1],)), Sample(([[0.4, 0.9], [1.3, 2.2]],)),
             Sample(([0.6],)), Sample(([[], []],)))  # fmt: skip
_TWO = (
    Sample((0.7, -1.3)), Sample(([0.5, -1.5, 2.5], [1.1, 0.7, -0.4])), Sample(([[0.5, -1.5], [2.5, 0.3]], 0.8)),
    Sample(([[0.5], [-1.5]], [[1.1, 0.7, -0.4]])),
    Sample(([0.5], [[1.1], [-0.4]])), Sample(([], -1.3)),
)  # fmt: skip
_BASE_AND_EXPONENT = (Sample((0.7, 2.0)), Sample(([0.5, 1.5, 2.5], [1.1, 3.0, -0.4])), Sample(([[0.5, 1.5], [2.5, 0.3]], 3.0)),
                      Sample(([0.5], [[1.1], [-0.4]])), Sample(([], 3.0)))  # fmt: skip
_MISFIT = (Sample(([1.0, 2.0, 3.0], [1.0, 2.0])),)
_TIE = "a tie shares the gradient evenly, as PyTorch"

elementwise("add", "a + b", {"a": "1", "b": "1"}, samples=_TWO, errors=_MISFIT)
elementwise("sub", "a - b", {"a": "1", "b": "-1"}, samples=_TWO, errors=_MISFIT)
elementwise("mul", "a*b", {"a": "b", "b": "a"}, samples=_TWO, errors=_MISFIT)
elementwise("div", "a/b", {"a": "1/b", "b": "-y/b"}, samples=_TWO, errors=_MISFIT)
elementwise("neg", "-x", {"x": "-1"}, samples=ONE)
elementwise(
    "pow", "a**b", {"a": "b*where(b == 0, where(a == 0, 1, a), a)**(b - 1)", "b": "y*log(where(a == 0, where(b < 0, a, 1), a))"},
    samples=_BASE_AND_EXPONENT, errors=_MISFIT,
    kinks=[
        Kink((0.0, 2.0), (0.0, 0.0), "0 stays 0 whatever the positive exponent; below 0 there is no real logarithm, and the "
             "exponent's derivative is no number, as PyTorch"),
        Kink((0.0, 0.0), (0.0, 0.0), "a power of 0 is constant in its base, as PyTorch"),
    ],
)  # fmt: skip
elementwise("exp", "exp(x)", {"x": "y"}, samples=ONE)
elementwise("expm1", "expm1(x)", {"x": "exp(x)"}, samples=ONE)
elementwise("log", "log(x)", {"x": "1/x"}, samples=_POSITIVE)
elementwise("log1p", "log1p(x)", {"x": "1/(1 + x)"}, samples=_POSITIVE)
elementwise("sqrt", "sqrt(x)", {"x": "1/(2*y)"}, samples=_POSITIVE)
elementwise("sin", "sin(x)", {"x": "cos(x)"}, samples=ONE)
elementwise("cos", "cos(x)", {"x": "-sin(x)"}, samples=ONE)
elementwise("erf", "erf(x)", {"x": "1.1283791670955126*exp(-x**2)"}, samples=ONE)
elementwise("erfc", "erfc(x)", {"x": "-1.1283791670955126*exp(-x**2)"}, samples=ONE)
elementwise(
    "abs", "abs(x)", {"x": "sign(x)"}, samples=ONE,
    kinks=[Kink((0.0,), (0.0,), "the middle of the subgradients -1 to 1, as PyTorch")],
)  # fmt: skip
elementwise(
    "sign", "sign(x)", {"x": "0"}, samples=ONE,
    kinks=[Kink((0.0,), (0.0,), "constant on both sides of the jump, as PyTorch")],
)  # fmt: skip
elementwise(
    "maximum", "maximum(a, b)",
    {"a": "where(a > b, 1, where(a < b, 0, 0.5))", "b": "where(b > a, 1, where(b < a, 0, 0.5))"}, samples=_TWO, errors=_MISFIT,
    kinks=[Kink((1.0, 1.0), (0.5, 0.5), _TIE)],
)  # fmt: skip
elementwise(
    "minimum", "minimum(a, b)",
    {"a": "where(a < b, 1, where(a > b, 0, 0.5))", "b": "where(b < a, 1, where(b > a, 0, 0.5))"}, samples=_TWO, errors=_MISFIT,
    kinks=[Kink((1.0, 1.0), (0.5, 0.5), _TIE)],
)  # fmt: skip
elementwise(
    "clip", "minimum(maximum(x, low), high)", {"x": "where(x < low, 0, where(x > high, 0, 1))"},
    attributes={"low": -1.0, "high": 1.0}, samples=[*ONE, Sample(([-1.7, 0.2, 0.6],), {"low": -0.5, "high": 0.4})],
    kinks=[Kink((-1.0,), (1.0,), "the bound itself still passes the gradient, as PyTorch's clamp"),
           Kink((1.0,), (1.0,), "the bound itself still passes the gradient, as PyTorch's clamp")],
)  # fmt: skip
elementwise(
    "where", "where(condition, a, b)", {"condition": "0", "a": "where(condition, 1, 0)", "b": "where(condition, 0, 1)"},
    samples=[Sample((True, 0.5, -1.5)), Sample(([True, False, True], [0.5, -1.5, 2.5], [1.1, 0.7, -0.4])),
             Sample(([[True], [False]], [0.5, 1.5], 2.0)), Sample(([True], [0.5], [[1.0], [2.0]])),
             Sample((np.zeros(0, bool), [], 2.0))],
    errors=[Sample(([True, False], [1.0, 2.0, 3.0], 0.0))],
)  # fmt: skip
for _name, _sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="), ("eq", "==")):
    elementwise(_name, f"a {_sign} b", {"a": "0", "b": "0"}, samples=_TWO, errors=_MISFIT)  # true or false: no gradient goes through
