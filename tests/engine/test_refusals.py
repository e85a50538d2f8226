"""What people get wrong, and what they are told: the operation, what was given, what was expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import F, Tensor, apply, losses
from engine.ops import REGISTRY, Op

X = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
V = Tensor([1.0, 2.0, 3.0])
ONE = Tensor(1.0, requires_grad=True)
SERIES, FILTERS = np.ones((1, 2, 5)), np.ones((1, 2, 3))
TRUE = Tensor([True])

WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "PyTorch's dim": (
        lambda: F.softmax(X, dim=1),
        TypeError,
        r"softmax: got an unexpected .*'dim'; it takes axis; PyTorch's dim is axis here",
    ),
    "an attribute that it has not": (
        lambda: F.exp(X, dtype="f4"),
        TypeError,
        r"exp: got an unexpected keyword argument 'dtype'; it takes none",
    ),
    "another name": (lambda: F.elu(X, slope=1), TypeError, "elu: got an unexpected keyword argument 'slope'; it takes alpha"),
    "text for a number": (lambda: F.elu(X, alpha="a"), TypeError, "elu: alpha is 'a'; expected a number"),
    "a bound that is none": (lambda: X.clip("low", 1.0), TypeError, "clip: low is 'low'; expected a number"),
    "nothing for an attribute": (lambda: F.reshape(X), TypeError, "reshape: missing 1 required argument: 'shape'; it takes shape"),
    "one input too few": (lambda: F.maximum(X), TypeError, r"maximum takes 2 inputs \(a, b\); given 1"),
    "PyTorch's einsum": (lambda: F.einsum("ij,j->i", X, V), TypeError, r"einsum takes 2 inputs \(a, b\), and by name equation; given 3"),
    "text as input": (lambda: F.maximum(X, "a"), TypeError, "maximum: a tensor holds real numbers .*given dtype <U1"),
    "a list of tensors": (lambda: F.maximum([X, X], X), TypeError, "maximum: an input is a list of tensors; expected a tensor"),
    "a shape that does not fit": (
        lambda: X.reshape(4, 2),
        ValueError,
        r"reshape: 6 elements of shape \(2, 3\) do not fit into shape \(4, 2\)",
    ),
    "half a size": (lambda: X.reshape(2.5, 3), TypeError, r"reshape: given 2.5, 3; expected whole numbers"),
    "a size alone": (lambda: F.reshape(X, shape=6), TypeError, "reshape: shape is 6; expected a sequence of whole numbers"),
    "a stretched size": (lambda: X.broadcast_to(5), ValueError, r"broadcast_to: shape \(2, 3\) does not broadcast to \(5,\)"),
    "no shape": (lambda: F.broadcast_to(X, shape="a"), TypeError, "broadcast_to: shape is 'a'; expected a sequence"),
    "axes by name": (lambda: X.permute("a", 0), TypeError, "permute: given 'a', 0; expected whole numbers"),
    "an axis too far": (lambda: X.unsqueeze(7), ValueError, r"unsqueeze: axis 7 is no place among those of shape \(2, 3\); expected -3..2"),
    "no tensors to join": (lambda: F.concat(), ValueError, "concat: no tensors given; expected at least one"),
    "no tensors to stack": (lambda: F.stack(), ValueError, "stack: no tensors given; expected at least one"),
    "a number to join": (lambda: F.concat(ONE, V), ValueError, r"concat: shapes \[\(\), \(3,\)\]: a 0-d tensor has no axis to join along"),
    "half a part": (lambda: X.split(1.5), TypeError, "split: given 1.5; expected whole numbers"),
    "a slice by halves": (lambda: X[0.5:], TypeError, r"index: not for shapes \(2, 3\).*slice indices must be integers"),
    "one width for all": (lambda: X.pad(1), ValueError, r"pad: widths 1 for shape \(2, 3\); expected one pair"),
    "a flat pair": (lambda: X.pad((1, 1)), ValueError, r"pad: widths \[1, 1\] for shape \(2, 3\); expected one pair"),
    "half a width": (lambda: X.pad([(1, 1), (0.5, 1)]), ValueError, "pad: widths .*expected one pair .* of whole numbers"),
    "half a shift": (lambda: X.roll(1.5), ValueError, "roll: shift is 1.5; expected a whole number"),  # type: ignore[arg-type]
    "filled with text": (
        lambda: X.masked_fill(np.array([True, False, True]), "a"),
        TypeError,
        "masked_fill: value is 'a'; expected a number",
    ),
    "a correction in words": (lambda: F.var(X, correction="a"), TypeError, r"var: not for shapes \(2, 3\), dtypes float64, correction='a'"),
    "padding in words": (lambda: F.conv1d(SERIES, FILTERS, padding="same"), TypeError, "conv1d: .*padding='same'.*expected whole numbers"),
    "half a stride": (lambda: F.conv1d(SERIES, FILTERS, stride=1.5), TypeError, "conv1d: stride=1.5.*expected whole numbers"),
    "truth negated": (
        lambda: -TRUE,
        TypeError,
        r"neg: not for shapes \(1,\), dtypes bool: truth values are no numbers here; give them dtype=float",
    ),
    "truth subtracted": (lambda: TRUE - TRUE, TypeError, r"sub: not for shapes \(1,\) and \(1,\), dtypes bool and bool"),
    "small predictions": (
        lambda: losses.mse_loss(Tensor(np.array([1], np.uint8)), [2.0]),
        TypeError,
        "mse_loss: predictions have dtype uint8",
    ),
    "a weight a class": (
        lambda: losses.binary_cross_entropy_with_logits(X, X, pos_weight=[1.0, 2.0]),  # type: ignore[arg-type]
        TypeError,
        r"bce_with_logits: pos_weight is \[1.0, 2.0\]; expected a number",
    ),
    "lists of two lengths": (lambda: Tensor([[1, 2], [3]]), ValueError, "a tensor holds one block of numbers"),
    "text to read": (lambda: Tensor(["a"], dtype=float), TypeError, "a tensor holds real numbers; given list that is none of dtype"),
    "going through a number": (lambda: list(ONE), TypeError, "a 0-d tensor has nothing to go through"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_call_is_told_what_is_wrong(what: str) -> None:
    call, kind, message = WRONG[what]
    with pytest.raises(kind, match=f"^{message}"):
        call()


@pytest.mark.parametrize("op", [op for op in REGISTRY.values() if not op.hidden], ids=lambda op: op.name)
def test_an_attribute_that_no_op_has_is_refused_by_every_op(op: Op) -> None:
    sample = op.samples[0]
    with pytest.raises(TypeError, match=rf"^{op.name}: got an unexpected keyword argument 'nonsense'; it takes "):
        apply(op.name, *[Tensor(x) for x in sample.inputs], **sample.attributes, nonsense=1)


def test_every_method_of_a_tensor_says_what_it_is() -> None:
    names = [name for name, op in REGISTRY.items() if not op.hidden and hasattr(Tensor, name)]
    assert len(names) > 60
    assert [name for name in names if not getattr(Tensor, name).__doc__] == []


def test_tensors_join_and_stack_from_one_list_as_pytorchs_do() -> None:
    np.testing.assert_array_equal(F.concat([X, X], axis=1).data, np.concatenate([X.data, X.data], 1))
    np.testing.assert_array_equal(F.stack((V, V)).data, np.stack([V.data, V.data]))


def test_axes_and_sizes_may_be_numpys_integers() -> None:
    one = np.int64(1)
    np.testing.assert_array_equal(X.sum(axis=one).data, X.data.sum(1))  # type: ignore[arg-type]
    np.testing.assert_array_equal(F.mean(X, axis=[one]).data, X.data.mean(1))
    assert X.reshape(np.int32(3), 2).shape == (3, 2)
    assert [row.tolist() for row in (part.data for part in X)] == X.data.tolist()


@pytest.mark.parametrize("name", ["exp", "expm1", "log1p", "sin", "cos", "sqrt", "tanh", "sigmoid", "softplus", "erf", "gelu", "gelu_tanh",
                                  "silu", "elu", "softmax", "log_softmax", "logsumexp", "norm", "mean", "std"])  # fmt: skip
@pytest.mark.parametrize("dtype", [np.uint8, np.bool_, np.int32, np.int64])
def test_fractions_of_whole_numbers_are_float64_and_right(name: str, dtype: Any) -> None:
    numbers = np.array([1, 0, 1] if dtype is np.bool_ else [3, 200, 16], dtype)
    found = apply(name, Tensor(numbers))
    by_method = getattr(Tensor(numbers), name)()
    expected = apply(name, Tensor(numbers.astype(np.float64))).data
    for result in (found, by_method):
        assert result.dtype == np.float64
        np.testing.assert_allclose(result.data, expected, rtol=1e-14)
