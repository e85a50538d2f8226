"""Computes with PyTorch the figures that tests/engine/test_op_parity.py compares every operation with.

    pip install torch==2.13.0
    python scripts/make_op_figures.py            # writes tests/fixtures/ops/pytorch.json
    python scripts/make_op_figures.py --check    # recomputes, and fails where a stored figure differs

For each operation that PyTorch has too, at every sample and kink of its definition: the output, and its gradients
for an incoming gradient that is another one at every element.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.ops import REGISTRY
from engine.ops.op import Sample

PATH = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "ops" / "pytorch.json"


def over(function: Callable[..., Any], axis: str = "dim") -> Callable[..., Any]:
    """A reduction: numpy's argument names to PyTorch's; all axes where none is named."""

    def call(x: torch.Tensor, axis_: Any = None, **options: Any) -> torch.Tensor:
        at = options.pop("axis", None)
        keep = options.pop("keepdims", False)
        at = tuple(range(x.ndim)) if at is None else tuple(at) if isinstance(at, list) else at
        return function(x, **{axis: at}, keepdim=keep, **options)

    return call


def product(x: torch.Tensor, axis: Any = None, keepdims: bool = False) -> torch.Tensor:
    for at in sorted({a % x.ndim for a in (range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis)}, reverse=True):
        x = torch.prod(x, dim=at, keepdim=keepdims)
    return x


def norm(x: torch.Tensor, ord: Any = 2, axis: Any = None, keepdims: bool = False) -> torch.Tensor:  # noqa: A002 - numpy's name for it
    at = tuple(range(x.ndim)) if axis is None else tuple(axis) if isinstance(axis, list) else axis
    return torch.linalg.vector_norm(x, ord=float(ord), dim=at, keepdim=keepdims)


def classes(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(z: torch.Tensor, target: torch.Tensor, weight: Any = None, **options: Any) -> torch.Tensor:
        return function(z, target, None if weight is None else torch.tensor(weight, dtype=z.dtype), **options)

    return call


def flip(x: torch.Tensor, axis: Any = None) -> torch.Tensor:
    return torch.flip(x, list(range(x.ndim)) if axis is None else [axis] if isinstance(axis, int) else axis)


def einsum(a: torch.Tensor, b: torch.Tensor, equation: str) -> torch.Tensor:
    return torch.einsum(equation, a, b)


def bce(z: torch.Tensor, target: torch.Tensor, pos_weight: float = 1.0, **options: Any) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(z, target, pos_weight=torch.tensor(pos_weight, dtype=z.dtype), **options)


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor, **options: Any) -> torch.Tensor:
    if options.get("is_causal"):
        return functional.scaled_dot_product_attention(q, k, v, **options) + 0 * mask
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask.expand(*q.shape[:-1], k.shape[-2]), **options)


_TORCH = "add sub mul div neg pow exp expm1 log log1p sqrt sin cos erf erfc abs sign maximum minimum where tanh sigmoid matmul dot outer"
_FUNCTIONAL = "softplus relu leaky_relu elu gelu silu hardtanh linear mse_loss l1_loss huber_loss kl_div conv1d"
PEERS: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in _TORCH.split()},
    **{name: getattr(functional, name) for name in _FUNCTIONAL.split()},
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "clip": lambda x, low=-1.0, high=1.0: torch.clamp(x, low, high),
    "sum": over(torch.sum), "mean": over(torch.mean), "var": over(torch.var), "std": over(torch.std), "max": over(torch.amax),
    "min": over(torch.amin), "logsumexp": over(torch.logsumexp), "prod": product, "norm": norm,
    "cumsum": lambda x, axis=0: torch.cumsum(x, axis),
    "einsum": einsum,
    "permute": lambda x, axes: x.permute(axes), "flip": flip,
    "roll": lambda x, shift, axis=None: torch.roll(x, shift, axis),
    "gather": lambda x, indices, axis=0: torch.gather(x, axis, indices),
    "masked_fill": lambda x, mask, value: x.masked_fill(mask, value),
    "softmax": lambda z, axis=-1: functional.softmax(z, axis), "log_softmax": lambda z, axis=-1: functional.log_softmax(z, axis),
    "cross_entropy": classes(functional.cross_entropy), "nll_loss": classes(functional.nll_loss), "bce_with_logits": bce,
    "layer_norm": lambda x, weight, bias, eps=1e-5: functional.layer_norm(x, weight.shape, weight, bias, eps),
    "scaled_dot_product_attention": attention,
    "embedding": lambda indices, W: functional.embedding(indices, W),
}  # fmt: skip


def points(name: str) -> list[Sample]:
    op = REGISTRY[name]
    return [*op.samples, *(Sample(kink.at) for kink in op.kinks)]


def figures(name: str, sample: Sample) -> dict[str, Any]:
    inputs = [torch.tensor(np.asarray(x)) for x in sample.inputs]
    leaves = [x.requires_grad_() if x.dtype == torch.float64 else x for x in inputs]
    with warnings.catch_warnings():  # kl_div announces that its mean will mean another thing one day
        warnings.simplefilter("ignore", UserWarning)
        output = PEERS[name](*leaves, **sample.attributes)
    incoming = torch.cos(torch.arange(output.numel())).reshape(output.shape) + 1.5
    output.backward(incoming.to(output.dtype))
    return {
        "shape": list(output.shape),
        "output": output.tolist(),
        "gradients": [None if x.grad is None else x.grad.tolist() for x in leaves],
    }


def everything() -> dict[str, Any]:
    torch.set_default_dtype(torch.float64)
    return {name: [figures(name, sample) for sample in points(name)] for name in sorted(PEERS)}


def difference(a: Any, b: Any) -> float:
    """The largest relative difference of two nested structures of numbers; infinite where they differ otherwise."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return max((difference(a[key], b[key]) for key in a), default=0.0)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return max(map(difference, a, b), default=0.0)
    if isinstance(a, float | int) and isinstance(b, float | int):
        return 0.0 if a == b or (math.isnan(a) and math.isnan(b)) else abs(a - b) / max(1.0, abs(a))
    return 0.0 if a == b else math.inf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the stored figures in place of writing them")
    found = everything()
    if parser.parse_args().check:
        worst = difference(json.loads(PATH.read_text()), found)
        print(f"{len(found)} operations: largest difference {worst:.3g}")
        if worst > 1e-12:
            raise SystemExit(f"{PATH.name} is not what PyTorch {torch.__version__} computes")
    else:
        PATH.parent.mkdir(parents=True, exist_ok=True)
        PATH.write_text("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in found.items()) + "\n}\n")


if __name__ == "__main__":
    main()
