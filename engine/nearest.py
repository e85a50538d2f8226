"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

MOST_NAMES = 2_000  # that are compared
MOST_CHARACTERS = 200


def near(given: str, known: Iterable[str]) -> str | None:
    """The name that is nearest; None where none is near."""
    if len(given) > MOST_CHARACTERS:
        return None
    names = {name.lower(): name for name in islice(known, MOST_NAMES)}
    found = get_close_matches(given.lower(), list(names), n=1)
    return names[found[0]] if found else None


def nearest(given: str, known: Iterable[str]) -> str:
    """``did you mean w? ``, or nothing where none of the names is near. What was given is not repeated."""
    return meant(near(given, known))


def meant(name: str | None) -> str:
    """``did you mean w? ``, or nothing."""
    return "" if name is None else f"did you mean {name}? "
