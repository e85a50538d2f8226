"""A program that cannot run."""

from __future__ import annotations


class ProgramError(ValueError):
    """Says what is wrong with a program, and where.

    detail: what was given, what was expected, what to do. pointer: JSON pointer into the request's body. column: from 1, within an
    expression. Travels from a worker to the server, so all of it stands in `args`.
    """

    def __init__(self, detail: str, pointer: str, column: int | None = None) -> None:
        super().__init__(detail, pointer, column)
        self.detail, self.pointer, self.column = detail, pointer, column

    def __str__(self) -> str:
        return self.detail
