"""The methods of a tensor that take attributes by position.

Keyword arguments that a method does not know (``unknown``) go to the op with the others, which says what it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.ops.shape import whole_numbers
from engine.refusals import plain_number

if TYPE_CHECKING:
    from engine.tensor import Tensor

Axis = int | Sequence[int] | None


class Methods:
    """What `Tensor` has by inheritance; docs/ops.md says what each argument is."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def shape(self) -> tuple[int, ...]: ...

    def _apply(self, name: str, *others: Any, **attributes: Any) -> Tensor:
        """The op of that name, this tensor being its first input."""
        raise NotImplementedError

    def mean(self, axis: Axis = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        return self._apply("mean", axis=plain(axis), keepdims=keepdims, **unknown)

    def var(self, axis: Axis = None, correction: float = 1, keepdims: bool = False, **unknown: Any) -> Tensor:
        return self._apply("var", axis=plain(axis), correction=correction, keepdims=keepdims, **unknown)

    def std(self, axis: Axis = None, correction: float = 1, keepdims: bool = False, **unknown: Any) -> Tensor:
        return self._apply("std", axis=plain(axis), correction=correction, keepdims=keepdims, **unknown)

    def max(self, axis: Axis = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        return self._apply("max", axis=plain(axis), keepdims=keepdims, **unknown)

    def min(self, axis: Axis = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        return self._apply("min", axis=plain(axis), keepdims=keepdims, **unknown)

    def prod(self, axis: Axis = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        return self._apply("prod", axis=plain(axis), keepdims=keepdims, **unknown)

    def norm(self, ord: float | str = 2, axis: Axis = None, keepdims: bool = False, **unknown: Any) -> Tensor:  # noqa: A002 - numpy's name
        return self._apply("norm", ord="inf" if ord == float("inf") else ord, axis=plain(axis), keepdims=keepdims, **unknown)

    def logsumexp(self, axis: Axis = None, keepdims: bool = False, **unknown: Any) -> Tensor:
        return self._apply("logsumexp", axis=plain(axis), keepdims=keepdims, **unknown)

    def cumsum(self, axis: int = 0, **unknown: Any) -> Tensor:
        return self._apply("cumsum", axis=axis, **unknown)

    def clip(self, low: float, high: float) -> Tensor:
        return self._apply("clip", low=plain_number("clip", "low", low), high=plain_number("clip", "high", high))

    def softmax(self, axis: int = -1, **unknown: Any) -> Tensor:
        return self._apply("softmax", **({} if axis == -1 else {"axis": axis}), **unknown)

    def log_softmax(self, axis: int = -1, **unknown: Any) -> Tensor:
        return self._apply("log_softmax", **({} if axis == -1 else {"axis": axis}), **unknown)

    def permute(self, *axes: Any) -> Tensor:
        return self._apply("permute", axes=whole_numbers(axes, "permute"))

    def squeeze(self, axis: Axis = None, **unknown: Any) -> Tensor:
        return self._apply("squeeze", axis=plain(axis), **unknown)

    def unsqueeze(self, axis: int) -> Tensor:
        return self._apply("unsqueeze", axis=axis)

    def flip(self, axis: Axis = None, **unknown: Any) -> Tensor:
        return self._apply("flip", axis=plain(axis), **unknown)

    def roll(self, shift: int, axis: int | None = None, **unknown: Any) -> Tensor:
        return self._apply("roll", shift=shift, axis=axis, **unknown)

    def pad(self, widths: Sequence[Sequence[int]], value: float = 0.0) -> Tensor:
        """(before, after) for each axis, as numpy."""
        pairs = [plain(pair) for pair in widths] if isinstance(widths, tuple | list) else widths
        return self._apply("pad", widths=pairs, value=plain_number("pad", "value", value))

    def split(self, sizes: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
        """All parts: of these sizes, or of one size each but the last."""
        wanted = sizes if isinstance(sizes, int) else whole_numbers((sizes,), "split")
        first = self._apply("split", sizes=wanted, axis=axis, part=0)
        count = -(-self.shape[axis] // wanted) if isinstance(wanted, int) else len(wanted)
        return (first, *(self._apply("split", sizes=wanted, axis=axis, part=k) for k in range(1, count)))

    def gather(self, indices: Any, axis: int = 0) -> Tensor:
        return self._apply("gather", indices, axis=axis)

    def masked_fill(self, mask: Any, value: float) -> Tensor:
        return self._apply("masked_fill", mask, value=plain_number("masked_fill", "value", value))

    def transpose(self, axes: Sequence[int] | None = None, *more: Any) -> Tensor:
        if more:  # PyTorch exchanges two axes, numpy reads an order
            raise TypeError(
                "transpose: given axes one by one; expected None, which exchanges the last two (as x.transpose() does), or one sequence, "
                "for each axis of the result the input's: x.permute(1, 0, 2) takes it one by one"
            )
        return self._apply("transpose", axes=plain(axes))

    def broadcast_to(self, shape: Sequence[int]) -> Tensor:
        return self._apply("broadcast_to", shape=whole_numbers((shape,), "broadcast_to"))


def plain(axis: Axis) -> int | list[int] | None:
    """Attributes are JSON: sequences become lists."""
    if isinstance(axis, np.integer):
        return int(axis)
    return list(axis) if isinstance(axis, tuple | list) else axis  # type: ignore[return-value]
