"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

MOST_NAMES = 2_000  # that are compared
MOST_CHARACTERS = 200


def nearest(given: str, known: Iterable[str]) -> str:
    """``did you mean w? ``, or nothing where none of the names is near. What was given is not repeated."""
    if len(given) > MOST_CHARACTERS:
        return ""
    names = {name.lower(): name for name in islice(known, MOST_NAMES)}
    found = get_close_matches(given.lower(), list(names), n=1)
    return f"did you mean {names[found[0]]}? " if found else ""
