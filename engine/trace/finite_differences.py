"""A gradient checked against finite differences, from the stored trace alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.trace.document import Document


def check(document: Document, node: int | str, index: Sequence[int]) -> dict[str, Any]:
    """Central difference (L(v + eps) - L(v - eps)) / 2 eps of one element of one node, beside its recorded gradient.

    index: of the element, empty for a 0-d node. eps is the cube root of the dtype's precision times max(1, |v|), where rounding and
    curvature weigh the same. Where back-propagation through time is truncated, what goes on over the border is held as it was, as the
    gradient takes it. Raises ValueError for an element that has no gradient or does not exist.
    """
    about = document.node(node)
    gradient, at = document.gradient(about["id"]), tuple(index)
    if gradient is None:
        raise ValueError(f"node {about['path']!r} has no gradient: the loss does not depend on it, or it is not differentiable")
    if len(at) != len(about["shape"]) or not all(0 <= i < n for i, n in zip(at, about["shape"], strict=True)):
        raise ValueError(f"index {list(at)} is outside node {about['path']!r} of shape {about['shape']}")
    value = document.value(about["id"])
    epsilon = float(np.cbrt(np.finfo(value.dtype).eps) * max(1.0, abs(float(value[at]))))
    losses, places = [], []
    held = {n: document.value(n) for n, other in enumerate(document.nodes) if other["op"] == "truncate"}
    for sign in (1, -1):
        moved = value.copy()
        moved[at] += sign * epsilon
        places.append(float(moved[at]))
        losses.append(float(document.replay({**held, about["id"]: moved})[document.loss].sum()))
    difference = (losses[0] - losses[1]) / (places[0] - places[1])  # the step as rounded, not as wished
    recorded = float(gradient[at])
    return {"gradient": recorded, "finite_difference": difference, "difference": difference - recorded, "epsilon": epsilon}
