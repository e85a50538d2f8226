"""A program's choice of data with the data at hand: whoever has the program can make its task, and it is written as the choice alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.told import Told
from server.programs.errors import ProgramError

Read = Callable[[], bytes | None]
_GONE = Told(
    "the data that this program chose are gone, or are not yours: they go with the last run that used them; bring them again", "data-gone"
)


class Choice(dict[str, Any]):
    """The `dataset` of a program; JSON and comparison know nothing of the data. They are read when they are first wanted.

    It travels to a worker with the data in it, since only the server reads the database.
    """

    def __init__(self, choice: Mapping[str, Any], read: Read) -> None:
        super().__init__({key: value for key, value in choice.items() if value is not None})
        self._read = read
        self._data: bytes | None = None

    @property
    def data(self) -> bytes:
        """The file. Raises ProgramError where there is none any more."""
        if self._data is None:
            self._data = self._read()
        if self._data is None:
            raise ProgramError(_GONE, "/program/dataset/id")
        return self._data

    def __reduce__(self) -> tuple[Any, ...]:
        return _brought, (dict(self), self.data)


def _brought(choice: Mapping[str, Any], data: bytes) -> Choice:
    return Choice(choice, lambda: data)


def with_data(program: dict[str, Any], read: Callable[[str], bytes | None]) -> dict[str, Any]:
    """The program, its choice of data, where it makes one, with the data. read: gives the file of an id."""
    chosen = program.get("dataset")
    if chosen is not None:
        return {**program, "dataset": Choice(chosen, lambda: read(chosen["id"]))}
    inner = program.get("program")  # edits of another program
    return {**program, "program": with_data(inner, read)} if isinstance(inner, dict) else program


def chooses_data(program: Mapping[str, Any]) -> bool:
    """Whether a program, or that which it edits, learns a data set of somebody's own."""
    while program.get("kind") == "what-if":
        program = program["program"]
    return program.get("dataset") is not None


def data_of(choice: Mapping[str, Any]) -> bytes:
    """The file that a program's `dataset` chose. Raises ProgramError where it is not at hand."""
    if not isinstance(choice, Choice):
        raise ProgramError(_GONE, "/program/dataset/id")
    return choice.data
