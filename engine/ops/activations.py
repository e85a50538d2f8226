"""Activation functions, elementwise, in forms that neither overflow nor lose their tails."""

from __future__ import annotations

from engine.ops.elementwise import ONE
from engine.ops.op import Kink, Sample, elementwise

_FAR = Sample(([-40.0, -8.0, 8.0, 40.0],))

elementwise("tanh", "tanh(x)", {"x": "1 - y**2"}, samples=ONE)
elementwise("sigmoid", "sigmoid(x)", {"x": "y*(1 - y)"}, samples=ONE)
elementwise("softplus", "maximum(x, 0) + log1p(exp(-abs(x)))", {"x": "sigmoid(x)"}, samples=[*ONE, _FAR])
elementwise(
    "relu",
    "maximum(x, 0)",
    {"x": "where(x > 0, 1, 0)"},
    samples=ONE,
    kinks=[Kink((0.0,), (0.0,), "0 of the subgradients 0 to 1: a unit at rest stays at rest, as PyTorch")],
)
elementwise(
    "leaky_relu",
    "where(x > 0, x, negative_slope*x)",
    {"x": "where(x > 0, 1, negative_slope)"},
    attributes={"negative_slope": 0.01},
    samples=[*ONE, Sample(([-1.7, 0.4],), {"negative_slope": 0.2})],
    kinks=[Kink((0.0,), (0.01,), "the slope of the negative side, as PyTorch")],
)
elementwise(
    "elu",
    "where(x > 0, x, alpha*expm1(minimum(x, 0)))",
    {"x": "where(x > 0, 1, alpha*exp(minimum(x, 0)))"},
    attributes={"alpha": 1.0},
    samples=[*ONE, Sample(([-1.7, 0.4],), {"alpha": 0.5}), _FAR],
)
elementwise(
    "gelu",
    "0.5*x*erfc(-x*0.7071067811865476)",  # 1 + erf would lose the tail
    {"x": "0.5*erfc(-x*0.7071067811865476) + x*0.3989422804014327*exp(-0.5*x**2)"},
    samples=[*ONE, _FAR],
)
elementwise(
    "gelu_tanh",
    "x*sigmoid(1.5957691216057308*(x + 0.044715*x**3))",  # 0.5 (1 + tanh u) is the sigmoid of 2u, which keeps the tail
    {
        "x": "sigmoid(1.5957691216057308*(x + 0.044715*x**3))*(1 + x*sigmoid(-1.5957691216057308*(x + 0.044715*x**3))"
        "*1.5957691216057308*(1 + 0.134145*x**2))"
    },
    samples=[*ONE, _FAR],
)
elementwise("silu", "x*sigmoid(x)", {"x": "sigmoid(x)*(1 + x*(1 - sigmoid(x)))"}, samples=[*ONE, _FAR])
elementwise(
    "hardtanh",
    "minimum(maximum(x, min_val), max_val)",
    {"x": "where(x <= min_val, 0, where(x >= max_val, 0, 1))"},
    attributes={"min_val": -1.0, "max_val": 1.0},
    samples=[*ONE, Sample(([-1.7, 0.2, 2.6],), {"min_val": -2.0, "max_val": 2.0})],
    kinks=[
        Kink((-1.0,), (0.0,), "the bound itself is at rest, as PyTorch"),
        Kink((1.0,), (0.0,), "the bound itself is at rest, as PyTorch"),
    ],
)
