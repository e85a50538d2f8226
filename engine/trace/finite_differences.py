"""A gradient, or one contribution to it, checked against finite differences, from the stored trace alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.tape import replay
from engine.trace.document import Document

ULPS = 4  # by how many units in the last place a loss is taken to be off


def check(document: Document, node: int | str, index: Sequence[int], use: tuple[int, int] | None = None) -> dict[str, Any]:
    """Central difference (L(v + eps) - L(v - eps)) / 2 eps of one element of one node, beside its recorded gradient.

    index: of the element, empty for a 0-d node. use: a consumer and its input; then only what this use reads is moved, and the
    difference stands beside the contribution that comes back from there. eps is the cube root of the dtype's precision times
    max(1, |v|), where rounding and curvature weigh the same. `error` estimates by how much the difference may be off: what it changes by
    when eps is doubled, three times the curvature's part, and what a loss rounded to 4 ulp makes of it. A gradient that is not large
    beside it cannot be resolved. Where back-propagation through time is truncated, what goes on over the
    border is held as it was, as the gradient takes it. Raises ValueError for an element that has no gradient or does not exist,
    LookupError for a use from which nothing comes back.
    """
    about = document.node(node)
    gradient, at = document.gradient(about["id"]), tuple(index)
    if gradient is None:
        raise ValueError(f"node {about['path']!r} has no gradient: the loss does not depend on it, or it is not differentiable")
    if len(at) != len(about["shape"]) or not all(0 <= i < n for i, n in zip(at, about["shape"], strict=True)):
        raise ValueError(f"index {list(at)} is outside node {about['path']!r} of shape {about['shape']}")
    if use is not None:
        gradient = _contribution(document, about, use)
    value = document.value(about["id"])
    epsilon = float(np.cbrt(np.finfo(value.dtype).eps) * max(1.0, abs(float(value[at]))))
    held = {n: document.value(n) for n, other in enumerate(document.nodes) if other["op"] == "truncate"}

    def quotient(step: float) -> tuple[float, float]:
        """The central difference with this step, and what rounding may have made of it."""
        losses, places = [], []
        for sign in (1, -1):
            moved = value.copy()
            moved[at] += sign * step
            places.append(float(moved[at]))
            changed = {about["id"]: moved} if use is None else {use[0]: _made_of(document, *use, moved)}
            losses.append(float(document.replay({**held, **changed})[document.loss].sum()))
        apart = places[0] - places[1]  # the step as rounded, not as wished
        return (losses[0] - losses[1]) / apart, ULPS * float(np.finfo(value.dtype).eps) * (abs(losses[0]) + abs(losses[1])) / abs(apart)

    (difference, rounding), (twice, _) = quotient(epsilon), quotient(2 * epsilon)
    recorded = float(gradient[at])
    return {
        "gradient": recorded,
        "finite_difference": difference,
        "difference": difference - recorded,
        "epsilon": epsilon,
        "error": abs(twice - difference) + rounding,
    }


def _contribution(document: Document, about: dict[str, Any], use: tuple[int, int]) -> Array:
    found = document.contributions(about["id"])
    for one in found:
        if (one.node, one.port) == use:
            return one.array
    uses = ", ".join(f"{one.node} at input {one.port}" for one in found if one.node >= 0)
    raise LookupError(f"nothing comes back to node {about['path']!r} from node {use[0]} at input {use[1]}; it does from {uses or 'none'}")


def _made_of(document: Document, consumer: int, port: int, moved: Array) -> Array:
    """What a consumer makes when one of its inputs is `moved` and the others are as they were."""
    about = document.nodes[consumer]
    count = len(about["inputs"])
    values = [*(document.value(n) for n in about["inputs"]), document.value(consumer)]
    leaves: list[tuple[int, ...]] = [()] * count
    return replay(
        [*[None] * count, document.op(consumer)],
        [*leaves, tuple(range(count))],
        [*[{}] * count, about["attributes"]],
        values,
        {port: moved},
    )[-1]
