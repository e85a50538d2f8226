"""What can go wrong, as exceptions. All of them are RetrogradError."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

PREFIX = "urn:retrograd:problem:"


class RetrogradError(Exception):
    """Whatever a client of Retrograd raises of its own."""


class ConnectionFailedError(RetrogradError):
    """The server cannot be reached, or went away, however often it was tried."""


class UnexpectedAnswerError(RetrogradError):
    """What answered is not what this client reads: no Retrograd, or one of another version."""


class NoNumbersError(RetrogradError):
    """A trace was asked for without its numbers."""


class NoSuchNodeError(RetrogradError, LookupError):
    """A trace has no such node, or the node has no gradient."""

    __str__ = Exception.__str__  # a KeyError's would put quotes around it


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong with a request. pointer: a JSON pointer into its body. line, column: within an expression, from 1.

    code, params: what `detail` says, for programs (docs/api.md, Errors by code); None where it has no code.
    """

    pointer: str
    detail: str
    line: int | None = None
    column: int | None = None
    code: str | None = None
    params: Mapping[str, Any] | None = None


class ProblemError(RetrogradError):
    """The server refused: a problem document (RFC 9457), as docs/api.md has it.

    status: of HTTP. kind: what a program tells problems apart by, such as `limit` (docs/api.md, Errors by type). detail: what was given,
    what was expected, what to do; code, params: the same for programs, where it has a code. errors: what is wrong where. limit, actual:
    the most there may be, and what there was. request_id: what the server's log knows it by. retry_after: seconds. location: of what was
    made although it is not sent.
    """

    def __init__(self, response: httpx.Response) -> None:
        told = _document(response)
        self.status = response.status_code
        self.kind = str(told.get("type", "")).removeprefix(PREFIX)
        self.title = str(told.get("title", response.reason_phrase))
        self.detail = str(told.get("detail", f"the server answered {response.status_code} {response.reason_phrase}"))
        self.code: str | None = told.get("code")
        self.params: Mapping[str, Any] | None = told.get("params")
        self.errors = [_wrong(part) for part in told.get("errors") or ()]
        self.limit: float | None = told.get("limit")
        self.actual: float | None = told.get("actual")
        self.request_id: str | None = told.get("request_id")
        self.retry_after = retry_after(response)
        self.location = response.headers.get("location")
        super().__init__(self.detail)

    @property
    def pointer(self) -> str | None:
        """Where the first thing is that is wrong; None where the problem does not point."""
        return self.errors[0].pointer if self.errors else None

    def __str__(self) -> str:
        places = [f"{error.pointer}: {error.detail}" for error in self.errors if error.detail != self.detail]
        pointed = "" if places or self.pointer is None else f" (at {self.pointer})"
        return "\n  ".join([f"{self.status} {self.title}: {self.detail}{pointed}", *places])


class NotFoundError(ProblemError):
    """404: there is no such thing, any more or at all."""


class TokenError(ProblemError):
    """401: the server asks for its token."""


class ConflictError(ProblemError):
    """409: something else is in the way, such as a training that goes on."""


class InvalidError(ProblemError):
    """400, 413, 415, 422: the request is not as expected; `pointer` says where, `limit` which bound it passes."""


class BusyError(ProblemError):
    """429, 503: too much at once; later it may be taken."""


_BY_STATUS = {400: InvalidError, 401: TokenError, 404: NotFoundError, 409: ConflictError, 413: InvalidError, 415: InvalidError,
              422: InvalidError, 429: BusyError, 503: BusyError}  # fmt: skip


def problem_of(response: httpx.Response) -> ProblemError:
    """The exception for an answer that says no. Its body has been read."""
    return _BY_STATUS.get(response.status_code, ProblemError)(response)


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server wants to be left alone, where it says."""
    said = response.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() else None


def _document(response: httpx.Response) -> dict[str, Any]:
    """The problem document; empty where something else answered, such as a proxy."""
    try:
        told = json.loads(response.content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _wrong(part: dict[str, Any]) -> Wrong:
    return Wrong(
        str(part.get("pointer", "")),
        str(part.get("detail", "")),
        part.get("line"),
        part.get("column"),
        part.get("code"),
        part.get("params"),
    )
