"""PyTorch's names for what is called otherwise here, so that who writes one is told the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

KEYWORDS = {"dim": "axis", "dims": "axis", "keepdim": "keepdims", "unbiased": "correction", "shifts": "shift", "p": "ord"}
"""Keyword arguments of operations."""

_OPS = {  # functions and methods alike
    "addmm": "x @ W + b", "amax": "max", "amin": "min", "binary_cross_entropy_with_logits": "bce_with_logits", "bmm": "matmul",
    "clamp": "clip", "expand": "broadcast_to", "flatten": "reshape", "index_select": "rows", "mm": "matmul", "mv": "matmul",
    "reciprocal": "1 / x", "rsqrt": "x ** -0.5", "smooth_l1_loss": "huber_loss", "square": "x ** 2", "swapaxes": "permute", "t": "x.T",
    "take_along_dim": "gather", "view": "reshape",
}  # fmt: skip
_LISTS = {"cat": "concat", "concatenate": "concat", "hstack": "concat", "vstack": "concat", "chunk": "split"}
_NO_GRADIENT = {name: f"x.data.{name}(...), since it has no gradient" for name in ("argmax", "argmin", "argsort", "tolist")}

TENSOR = {
    **{name: ours if " " in ours or "." in ours else f"x.{ours}(...)" for name, ours in _OPS.items()},
    **{name: f"F.{ours}(...)" for name, ours in _LISTS.items()},
    **_NO_GRADIENT,
    "clone": "x * 1, or x.detach() for the values alone", "cpu": "nothing: all tensors are numpy's", "cuda": "nothing: no GPU is used",
    "device": "nothing: all tensors are numpy's", "dim": "x.ndim", "double": "Tensor(x, dtype='float64')",
    "float": "Tensor(x, dtype='float32')", "is_leaf": "x.tape is None", "numel": "x.size",
    "requires_grad_": "Tensor(data, requires_grad=True), when the tensor is made",
    "retain_grad": "nothing: every tensor keeps its gradient",
    "to": "Tensor(x, dtype=...)", "zero_": "x.data = ...",
}  # fmt: skip
FUNCTIONS = {
    **{name: ours if " " in ours or "." in ours else f"F.{ours}" for name, ours in (_OPS | _LISTS).items()},
    **_NO_GRADIENT,
    "one_hot": "np.eye(classes)[numbers]",
}
_MODULES: Mapping[str, Mapping[str, str]] = {
    "engine": {
        **FUNCTIONS,
        "autograd": "engine.grad, jacobian, hvp and gradcheck", "device": "nothing: all tensors are numpy's", "enable_grad": "Tape('GRAD')",
        "from_numpy": "Tensor(array)", "inference_mode": "with Tape('OFF'):", "load": "nn.from_safetensors",
        "manual_seed": "generator=np.random.default_rng(seed) for a layer's weights, module.seed_(seed) for dropout",
        "no_grad": "with Tape('OFF'):", "ones": "Tensor(np.ones(shape))", "randn": "Tensor(np.random.default_rng(seed).normal(size=shape))",
        "rand": "Tensor(np.random.default_rng(seed).random(shape))", "save": "nn.to_safetensors", "tensor": "Tensor(data)",
        "zeros": "Tensor(np.zeros(shape))",
    },
    "engine.nn": {
        "BCEWithLogitsLoss": "losses.binary_cross_entropy_with_logits", "HuberLoss": "losses.huber_loss", "KLDivLoss": "losses.kl_div",
        "L1Loss": "losses.l1_loss", "NLLLoss": "losses.nll_loss", "functional": "engine.F, and engine.losses",
        "utils": "optim.clip_grad_norm_ and optim.clip_grad_value_; layers take sequences padded, with lengths=",
    },
    "engine.optim": {"lr_scheduler": "the schedules of engine.optim itself: optim.StepLR, optim.CosineAnnealingLR, ..."},
}  # fmt: skip


def unknown_name(module: str, name: str) -> AttributeError:
    """What to raise for a name that a module of the engine has not."""
    ours = _MODULES[module].get(name)
    return AttributeError(f"module {module!r} has no attribute {name!r}" + (f"; PyTorch's {name} is here: {ours}" if ours else ""))


def absent(name: str) -> property:
    """A property that a tensor has not: asked for, it raises AttributeError that says what to write."""

    def ask(self: Any) -> NoReturn:
        raise AttributeError(f"a Tensor has no {name!r}; PyTorch's {name} is here: {TENSOR[name]}")

    return property(ask, doc=f"Not here; PyTorch's {name} is here: {TENSOR[name]}.")


class Count(int):
    """A number of elements, which says so when it is called as PyTorch's size is."""

    __slots__ = ()

    def __call__(self, *axis: int) -> NoReturn:
        raise TypeError(f"size is a number here, not a method: x.size is {int(self)}; PyTorch's x.size() is x.shape")
