"""What an address names, or 404."""

from __future__ import annotations

from typing import Literal, TypeVar

from server.problems import ProblemError

T = TypeVar("T")


def found(thing: T | None, kind: Literal["run", "trace"]) -> T:
    """The thing. Raises ProblemError where the store has none."""
    if thing is None:
        raise missing(kind)
    return thing


def missing(kind: Literal["run", "trace"]) -> ProblemError:
    makes = f"POST /api/v1/{kind}s makes one"
    return ProblemError(404, f"there is no such {kind}; GET /api/v1/{kind}s lists those there are, {makes}")
