"""A program that cannot run, or would cost too much."""

from __future__ import annotations


class ProgramError(ValueError):
    """Says what is wrong with a program, and where.

    detail: what was given, what was expected, what to do. pointer: JSON pointer into the request's body. line, column: from 1, within an
    expression. Travels from a worker to the server, so all of it stands in `args`.
    """

    def __init__(self, detail: str, pointer: str, column: int | None = None, line: int | None = None) -> None:
        super().__init__(detail, pointer, column, line)
        self.detail, self.pointer, self.column, self.line = detail, pointer, column, line

    def __str__(self) -> str:
        return self.detail


class LimitError(Exception):
    """Something passes a limit that GET /api/v1/limits names. limit: the most there may be; actual: what there was, or would have been.

    status: of the answer. Travels from a worker to the server, so all of it stands in `args`.
    """

    def __init__(self, detail: str, limit: float, actual: float, pointer: str | None = None, status: int = 422) -> None:
        super().__init__(detail, limit, actual, pointer, status)
        self.detail, self.limit, self.actual, self.pointer, self.status = detail, limit, actual, pointer, status

    def __str__(self) -> str:
        return self.detail
