"""A search over settings, checked before it begins, so that no trial fails for what could have been known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.told import after
from server.programs.errors import LimitError, ProgramError
from server.sweeps.space import WHOLE, applied

Normalised = Callable[[dict[str, Any]], dict[str, Any]]


def check_space(program: Mapping[str, Any], space: Mapping[str, Mapping[str, Any]], normalised: Normalised) -> None:
    """Makes the program of every end of a range and of every choice, and the one of all that is largest.

    Raises ProgramError, LimitError for one that no run can be trained with; they point at what varies there.
    """
    usual = {name: next(_ends(name, part)) for name, part in space.items()}
    for name, part in space.items():
        for value in _ends(name, part):
            _try(program, {**usual, name: value}, normalised, f"with {name} {value}", f"/space/{name}")
    largest = {name: max(values) for name, part in space.items() if (values := _numbers(name, part))}
    _try(program, {**usual, **largest}, normalised, "with the largest value of each setting", "/space")


def _try(program: Mapping[str, Any], params: Mapping[str, Any], normalised: Normalised, where: str, pointer: str) -> None:
    try:
        normalised(applied(program, params))
    except ProgramError as error:
        pointer = error.pointer if error.pointer.startswith(("/program/task", "/program/dataset", "/program/data")) else pointer
        raise ProgramError(after(f"{where}: ", error.detail), pointer) from None
    except LimitError as error:
        raise LimitError(after(f"{where}: ", error.detail), error.limit, error.actual, pointer) from None


def _ends(name: str, part: Mapping[str, Any]) -> Iterator[Any]:
    if "choices" in part:
        yield from part["choices"]
    else:
        yield from (int(part[end]) if name in WHOLE else float(part[end]) for end in ("low", "high"))


def _numbers(name: str, part: Mapping[str, Any]) -> list[Any]:
    return [value for value in _ends(name, part) if isinstance(value, int | float) and not isinstance(value, bool)]
