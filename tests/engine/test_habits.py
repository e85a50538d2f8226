"""PyTorch's habits: what is called otherwise here is answered with the name that it has."""

from __future__ import annotations

import inspect
import pydoc
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import engine
from engine import F, Tape, Tensor, gradcheck, hvp, jacobian, nn, optim
from engine.habits import FUNCTIONS, KEYWORDS, TENSOR
from engine.manual import described, signature_of
from engine.ops import REGISTRY

X: Any = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
HERE: Any = engine
T: Any = Tensor  # whose methods made from the table no type checker knows
LOST: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    **{
        f"{name}(dim=)": (partial(getattr(X, name), dim=1), TypeError, f"{name}: .*'dim'; it takes .*; PyTorch's dim is axis here$")
        for name in ("sum", "mean", "var", "std", "max", "min", "prod", "logsumexp", "cumsum", "softmax", "log_softmax", "squeeze", "norm")
    },
    "keepdim": (lambda: X.sum(1, keepdim=True), TypeError, "sum: .*; PyTorch's keepdim is keepdims here$"),
    "flip(dims=)": (lambda: X.flip(dims=1), TypeError, "flip: .*; PyTorch's dims is axis here$"),
    "nonsense": (lambda: X.sum(nonsense=1), TypeError, "sum: .*'nonsense'; it takes axis, keepdims$"),
    "size()": (lambda: X.size(), TypeError, r"size is a number here, not a method: x.size is 6; PyTorch's x.size\(\) is x.shape"),
    "view": (lambda: X.view(3, 2), AttributeError, r"a Tensor has no 'view'; PyTorch's view is here: x.reshape\(...\)"),
    "argmax": (lambda: X.argmax(1), AttributeError, r"a Tensor has no 'argmax'; .*x.data.argmax\(...\), since it has no gradient"),
    "requires_grad_": (lambda: X.requires_grad_(), AttributeError, r"a Tensor has no 'requires_grad_'; .*requires_grad=True"),
    "transpose": (lambda: X.transpose(0, 1), TypeError, "transpose: given axes one by one"),
    "retain_graph": (lambda: X.sum().backward(retain_graph=True), TypeError, "backward: leave retain_graph out: a tape stays usable"),
    "F.cat": (lambda: F.cat([X, X]), AttributeError, "no op is called 'cat'; PyTorch's cat is here: F.concat"),
    "no_grad": (lambda: HERE.no_grad(), AttributeError, r"module 'engine' has no attribute 'no_grad'; .*with Tape\('OFF'\):"),
    "manual_seed": (lambda: HERE.manual_seed(0), AttributeError, "module 'engine' .*default_rng"),
    "lr_scheduler": (lambda: HERE.optim.lr_scheduler, AttributeError, "module 'engine.optim' .*optim.StepLR"),
    "nn.utils": (lambda: HERE.nn.utils, AttributeError, "module 'engine.nn' .*optim.clip_grad_norm_"),
    "neither": (lambda: HERE.nonsense, AttributeError, "module 'engine' has no attribute 'nonsense'$"),
}


@pytest.mark.parametrize("habit", LOST)
def test_a_habit_is_told_what_to_write(habit: str) -> None:
    call, kind, message = LOST[habit]
    with pytest.raises(kind, match=f"^{message}"):
        call()


def test_no_hint_stands_before_what_there_is_and_each_leads_somewhere() -> None:
    assert not any(hasattr(X, name) for name in TENSOR)
    assert not REGISTRY.keys() & (TENSOR.keys() | FUNCTIONS.keys() | {"dim", "view"})
    ours = {name.removeprefix("F.") for name in FUNCTIONS.values() if name.startswith("F.")}
    assert ours <= REGISTRY.keys()
    methods = [found[1] for hint in TENSOR.values() if (found := re.match(r"x\.(\w+)", hint))]
    assert len(methods) > 15
    assert [name for name in methods if not hasattr(Tensor, name)] == []
    assert not KEYWORDS.keys() & {"axis", "keepdims", "correction", "shift", "ord"}


def test_zero_grad_takes_pytorchs_argument() -> None:
    layer = nn.Linear(3, 1)
    for owner in (layer, optim.SGD(layer.parameters(), lr=0.1)):
        layer(X).sum().backward()
        owner.zero_grad(set_to_none=True)
        assert layer.weight.grad is None


def test_numpy_gets_a_copy_of_the_numbers() -> None:
    x = Tensor([1.0, 2.0])
    for array in (np.asarray(x), np.array(x), np.asarray(x, dtype=np.float32), x.__array__(copy=True)):
        assert array.dtype.kind == "f"
        np.testing.assert_array_equal(array, [1.0, 2.0])
        array[:] = 0
    np.testing.assert_array_equal(x.data, [1.0, 2.0])
    assert np.asarray(Tensor(3)).shape == ()
    assert isinstance(np.ones(2) * x, Tensor)
    with pytest.raises(ValueError, match="copy=False cannot be had"):
        np.array(x, copy=False)
    w = Tensor([1.0, 2.0], requires_grad=True)
    for cut in (np.asarray, np.stack, lambda t: np.dot(np.ones(2), t)):
        with pytest.raises(TypeError, match=r"cut off the gradient .*x.numpy\(\) or x.detach\(\)"):
            cut(w)
    np.testing.assert_array_equal(w.numpy(), np.asarray(w.detach()))


@pytest.mark.parametrize("make", [lambda a: Tensor([a, a]), lambda a: Tensor([[1.0], [a]]), lambda a: a - [a, a], lambda a: a * (2.0, a)])
def test_a_list_of_tensors_does_not_lose_its_gradients_unsaid(make: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"cut off the gradient .*F.stack\(a, b\) makes one tensor of several"):
        make(Tensor(1.0, requires_grad=True))


@pytest.mark.parametrize("check", [jacobian, gradcheck, lambda f, x: hvp(f, x, x)])
def test_a_tensor_for_a_function_is_refused(check: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r": f is a Tensor; expected a function of the inputs, such as lambda x"):
        check(X.sum(), X)


def test_weights_are_bytes() -> None:
    layer = nn.Linear(2, 1)
    with pytest.raises(TypeError, match="from_safetensors: data is a str; expected the bytes of the file"):
        nn.from_safetensors(layer, "weights.safetensors")  # type: ignore[arg-type]
    assert nn.from_safetensors(layer, nn.to_safetensors(layer)) == ([], [])


def test_what_is_shown_of_tapes_runs_and_optimizers() -> None:
    x, y = Tensor([1.0, 2.0], requires_grad=True), Tensor(3.0)
    with Tape() as tape:
        first = (x * y).sum()
        run = first.backward()
        assert repr(tape) == "Tape(level='GRAD', 4 nodes, 2 of them leaves)"
        assert repr(run) == "BackwardRun(from node 3, gradients of 3 nodes, latest)"
        first.backward()
    assert repr(run).endswith("replaced)")
    assert repr(optim.SGD([x], lr=0.5)).startswith("SGD(1 parameters, 0 steps done)\n  Group(1 parameters, lr=0.5")


def test_help_has_formulas_and_attributes_with_their_defaults() -> None:
    for called, signature, formula in (
        (T.leaky_relu, "(self, /, *, negative_slope=0.01)", "y = where((x > 0), x, (negative_slope * x))"),
        (T.maximum, "(self, b, /)", "y = maximum(a, b)"),
        (F.sub, "(a, b, /)", "y = a - b"),
        (F.softmax, "(z, /, *, axis=-1)", r"y_k = \frac{e^{z_k}}{\sum_j e^{z_j}}"),
        (F.concat, "(*xs, axis=0)", "y = "),
        (F.reshape, "(x, /, *, shape)", "y = "),
    ):
        assert str(inspect.signature(called)) == signature
        assert (called.__doc__ or "").startswith(formula)
    assert "softmax" in pydoc.render_doc(F)
    shown = [op for op in REGISTRY.values() if not op.hidden]
    assert [op.name for op in shown if not described(op, "").partition("\n")[0] or not signature_of(op).parameters] == []


def test_the_log_of_a_tape_names_what_its_events_hold() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    with Tape("TRACE") as tape:
        y = x * 3.0
        y.backward([1.0, 1.0])
    forward, seed, vjp = tape.log
    assert (forward.kind, forward.phase, forward.node, forward.port, forward.terms) == ("forward", "forward", y.node, -1, None)
    assert (seed.kind, seed.target) == ("seed", y.node)
    assert (vjp.kind, vjp.node, vjp.port, vjp.target) == ("vjp", y.node, 0, tape.leaf(x))
    np.testing.assert_array_equal(vjp.array, [3.0, 3.0])
