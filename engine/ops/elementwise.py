"""Elementwise operations: a formula, a derivative an input, samples and kinks. Nothing else is written about them."""

from __future__ import annotations

from engine.ops.op import Kink, Sample, elementwise

_ONE = (Sample((0.3,)), Sample(([-1.7, -0.2, 0.6, 2.1],)), Sample(([[0.4, -0.9], [1.3, -2.2]],)))
_POSITIVE = (Sample((0.3,)), Sample(([0.2, 0.6, 2.1],)), Sample(([[0.4, 0.9], [1.3, 2.2]],)))
_TWO = (
    Sample((0.7, -1.3)), Sample(([0.5, -1.5, 2.5], [1.1, 0.7, -0.4])), Sample(([[0.5, -1.5], [2.5, 0.3]], 0.8)),
    Sample(([[0.5], [-1.5]], [[1.1, 0.7, -0.4]])),
)  # fmt: skip
_BASE_AND_EXPONENT = (Sample((0.7, 2.0)), Sample(([0.5, 1.5, 2.5], [1.1, 3.0, -0.4])), Sample(([[0.5, 1.5], [2.5, 0.3]], 3.0)))
_MISFIT = (Sample(([1.0, 2.0, 3.0], [1.0, 2.0])),)

elementwise("add", "a + b", {"a": "1", "b": "1"}, samples=_TWO, errors=_MISFIT)
elementwise("sub", "a - b", {"a": "1", "b": "-1"}, samples=_TWO, errors=_MISFIT)
elementwise("mul", "a*b", {"a": "b", "b": "a"}, samples=_TWO, errors=_MISFIT)
elementwise("div", "a/b", {"a": "1/b", "b": "-y/b"}, samples=_TWO, errors=_MISFIT)
elementwise("neg", "-x", {"x": "-1"}, samples=_ONE)
elementwise(
    "pow", "a**b", {"a": "b*a**(b - 1)", "b": "where(a > 0, y*log(where(a > 0, a, 1)), 0)"}, samples=_BASE_AND_EXPONENT, errors=_MISFIT,
    kinks=[Kink((0.0, 2.0), (0.0, 0.0), "no real logarithm at or below 0: the exponent's derivative is taken as 0 there")],
)  # fmt: skip
elementwise("exp", "exp(x)", {"x": "y"}, samples=_ONE)
elementwise("log", "log(x)", {"x": "1/x"}, samples=_POSITIVE)
elementwise("sqrt", "sqrt(x)", {"x": "1/(2*y)"}, samples=_POSITIVE)
elementwise("sin", "sin(x)", {"x": "cos(x)"}, samples=_ONE)
elementwise("cos", "cos(x)", {"x": "-sin(x)"}, samples=_ONE)
elementwise("tanh", "tanh(x)", {"x": "1 - y**2"}, samples=_ONE)
elementwise("sigmoid", "sigmoid(x)", {"x": "y*(1 - y)"}, samples=_ONE)
elementwise(
    "abs", "abs(x)", {"x": "sign(x)"}, samples=_ONE,
    kinks=[Kink((0.0,), (0.0,), "the middle of the subgradients -1 to 1, as PyTorch")],
)  # fmt: skip
elementwise(
    "relu", "maximum(x, 0)", {"x": "where(x > 0, 1, 0)"}, samples=_ONE,
    kinks=[Kink((0.0,), (0.0,), "0 of the subgradients 0 to 1: a unit at rest stays at rest, as PyTorch")],
)  # fmt: skip
elementwise(
    "maximum", "maximum(a, b)",
    {"a": "where(a > b, 1, where(a < b, 0, 0.5))", "b": "where(b > a, 1, where(b < a, 0, 0.5))"}, samples=_TWO, errors=_MISFIT,
    kinks=[Kink((1.0, 1.0), (0.5, 0.5), "a tie shares the gradient evenly, as PyTorch")],
)  # fmt: skip
elementwise(
    "minimum", "minimum(a, b)",
    {"a": "where(a < b, 1, where(a > b, 0, 0.5))", "b": "where(b < a, 1, where(b > a, 0, 0.5))"}, samples=_TWO, errors=_MISFIT,
    kinks=[Kink((1.0, 1.0), (0.5, 0.5), "a tie shares the gradient evenly, as PyTorch")],
)  # fmt: skip
