"""Errors as RFC 9457 problem documents. What a request held is never echoed, and no stack trace leaves the process."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from itertools import takewhile
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from engine.told import Told
from engine.training.rates import SCHEDULES
from engine.training.settings import OPTIMIZERS
from server.encoding import answer
from server.jobs.pool import OverloadedError, WorkerLostError, WorkerMemoryError
from server.programs.errors import LimitError, ProgramError
from server.routes.disconnect import ClientGoneError
from server.schemas.answers import Answer
from server.store.blobs import DamagedError
from server.validation import message

MEDIA_TYPE = "application/problem+json"
REQUEST_ID = "X-Request-ID"
INSTANCE_CHARACTERS = 200
log = logging.getLogger("retrograd")


# What a program can tell errors apart by, and what each is called. docs/api.md lists them; a test holds the two together.
KINDS: Mapping[str, str] = {
    "malformed": "The request cannot be read",
    "token": "A token is needed",
    "origin": "Another site sent this request",
    "not-found": "There is nothing here",
    "method": "This address does not take this method",
    "not-acceptable": "There is no answer of a type that the client takes",
    "conflict": "Something else is in the way",
    "media-type": "The body is of another type than expected",
    "host": "This server does not go by this name",
    "invalid": "The request is not as expected",
    "program": "This program cannot run",
    "limit": "This passes a limit",
    "rate": "Too many requests",
    "damaged": "What was stored is damaged",
    "busy": "The server cannot do this now",
    "bug": "Something went wrong in the server",
}
_BY_STATUS = {400: "malformed", 401: "token", 403: "origin", 404: "not-found", 405: "method", 406: "not-acceptable",
              409: "conflict", 413: "limit", 415: "media-type", 421: "host", 422: "invalid", 429: "rate", 500: "bug",
              503: "busy"}  # fmt: skip


Code = Annotated[str | None, Field(examples=["name-unknown"], description="One of docs/api.md, Errors by code; more of them come.")]
Params = dict[str, str | int | float | None] | None


class ProblemPart(BaseModel):
    """One thing that is wrong: `pointer` is a JSON pointer into the body; `line` and `column` count from 1 within an expression.

    `code` and `params` say what `detail` says, for those who word it themselves.
    """

    pointer: str
    detail: str
    code: Code = None
    params: Params = None
    line: int | None = None
    column: int | None = None


class ProblemDocument(Answer):
    """An error (RFC 9457). `limit` and `actual` stand together: the most there may be, and what there was or would have been.

    `code` and `params` say what `detail` says, for those who word it themselves.
    """

    type: str
    title: str
    status: int
    detail: str
    code: Code = None
    params: Params = None
    instance: str
    request_id: str
    errors: list[ProblemPart] | None = None
    limit: float | None = None
    actual: float | None = None


class ProblemError(Exception):
    """An error that a person can act on: `detail` says what was given, what was expected and what to do; a `Told` has its code too.

    kind: one of KINDS; the usual one of the status unless given. more: further members of the document (`errors`, `limit`, `actual`).
    """

    def __init__(self, status: int, detail: str, *, kind: str | None = None, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.kind, self.headers, self.more = status, detail, kind, headers, more


def problem_response(request: Request, error: ProblemError) -> Response:
    """The problem document as a response."""
    request_id = getattr(request.state, "request_id", None) or uuid.uuid4().hex
    kind = error.kind or _BY_STATUS.get(error.status)
    document: dict[str, Any] = {
        "type": f"urn:retrograd:problem:{kind}" if kind else "about:blank",
        "title": KINDS[kind] if kind else HTTPStatus(error.status).phrase,
        "status": error.status, **worded(error.detail), "instance": shown_path(request.scope), "request_id": request_id, **error.more,
    }  # fmt: skip
    return Response(answer(document), error.status, {**(error.headers or {}), REQUEST_ID: request_id}, MEDIA_TYPE)


def worded(detail: str) -> dict[str, Any]:
    """`detail`, and where it has one its `code` with `params`, as members of a document."""
    if not isinstance(detail, Told):
        return {"detail": detail}
    return {"detail": "".join(detail), "code": detail.code, "params": detail.params}


def part(pointer: str, detail: str, line: int | None = None, column: int | None = None) -> dict[str, Any]:
    """One thing that is wrong (`ProblemPart`)."""
    place = {"line": line, "column": column}
    return {"pointer": pointer, **worded(detail), **{key: value for key, value in place.items() if value is not None}}


def shown_path(scope: Scope) -> str:
    """The path that was asked for, harmless wherever it is shown: percent-encoded, and not longer than anybody would read."""
    return quote(str(scope["path"]), safe="/:-._~")[:INSTANCE_CHARACTERS]


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem document."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(ProgramError, _on_program_error)
    app.add_exception_handler(LimitError, _on_limit)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(TimeoutError, _on_timeout)
    app.add_exception_handler(WorkerLostError, _on_lost)
    app.add_exception_handler(OperationalError, _on_database)
    app.add_exception_handler(WorkerMemoryError, _on_memory)
    app.add_exception_handler(OverloadedError, _on_overload)
    app.add_exception_handler(DamagedError, _on_damaged)
    app.add_exception_handler(ClientGoneError, _on_gone)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem_response(request, error)


async def _on_program_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProgramError)
    errors = [part(error.pointer, error.detail, error.line, error.column)]
    return problem_response(request, ProblemError(422, error.detail, kind="program", errors=errors))


async def _on_limit(request: Request, error: Exception) -> Response:
    assert isinstance(error, LimitError)
    more: dict[str, Any] = {"limit": error.limit, "actual": error.actual}
    if error.pointer is not None:
        more["errors"] = [part(error.pointer, error.detail)]
    return problem_response(request, ProblemError(error.status, error.detail, kind="limit", **more))


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [(pointer_of(one["loc"]), message(one)) for one in error.errors()]
    errors = [part(pointer, words) for pointer, words in found]
    several = Told(f"{len(found)} things in this request are not as expected", "several", count=len(found))
    detail = found[0][1] if len(found) == 1 else several
    return problem_response(request, ProblemError(422, detail, errors=errors))


# pydantic names the member of a union in the path of an error; the body has no such level
_UNION_MEMBERS = {"expression", "network", "graph", "what-if", "trained", "uploaded", "written", "text", "series", *OPTIMIZERS, *SCHEDULES}
_UNION_FIELDS = {"program", "optimizer", "schedule", "start", "sequences"}
_ITEMS = {"edit by value", "edit by mute", "edit by zero_grad"}  # of a union in a list
_PLAIN = re.compile(r"[\w.-]{1,40}")


def pointer_of(location: tuple[int | str, ...]) -> str:
    """A JSON pointer for what is in the body, ``?name`` for a query parameter, the name for a part of the path."""
    where, *parts = location
    if where == "query":
        return "?" + ".".join(map(str, parts))
    kept = [
        part
        for before, part in zip([None, *parts], parts, strict=False)
        if not ((before in _UNION_FIELDS and part in _UNION_MEMBERS) or (isinstance(before, int) and part in _ITEMS))
    ]
    # A member that the request made up is named only where its name is a plain one; else the pointer ends at what holds it.
    named = list(takewhile(lambda part: isinstance(part, int) or _PLAIN.fullmatch(part), kept))
    return "".join(f"/{part}" for part in named)


_DETAILS = {
    404: Told("there is nothing at this address; the API is described at /api/v1/openapi.json", "no-address"),
    405: "this address does not take this method; the Allow header names those it takes",
}


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in _DETAILS:
        return problem_response(request, http_problem(request, error.status_code))
    return problem_response(request, ProblemError(error.status_code, str(error.detail), headers=dict(error.headers or {})))


def http_problem(request: Request, status: int) -> ProblemError:
    """What is said where an address names nothing (404), or does not take the method (405)."""
    headers = {"Allow": ", ".join(_allowed(request))} if status == 405 else {}
    return ProblemError(status, _DETAILS[status], headers=headers)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def _allowed(request: Request) -> list[str]:
    """The methods that the address takes. HEAD stands for every GET (server/middleware.py)."""
    routes = request.app.router.routes
    taken = {m for m in METHODS if any(route.matches({**request.scope, "method": m})[0] is Match.FULL for route in routes)}
    return [m for m in METHODS if m in taken or (m == "HEAD" and "GET" in taken)]


async def _on_timeout(request: Request, error: Exception) -> Response:
    detail = "this took longer than the server computes for one request; ask for less of it, or try again when the server has less to do"
    return problem_response(request, ProblemError(503, Told(detail, "slow"), headers={"Retry-After": "30"}))


async def _on_lost(request: Request, error: Exception) -> Response:
    detail = "the processes that computed this were ended, again and again (the machine may lack memory); ask for less, or try again later"
    return problem_response(request, ProblemError(503, Told(detail, "lost"), headers={"Retry-After": "30"}))


async def _on_database(request: Request, error: Exception) -> Response:
    log.error("the database does not answer", exc_info=error)
    words = Told("the database does not answer; ask again later", "database")
    return problem_response(request, ProblemError(503, words, headers={"Retry-After": "5"}))


async def _on_memory(request: Request, error: Exception) -> Response:
    return problem_response(request, ProblemError(422, Told(f"{error}; ask for less of it", "memory"), kind="limit"))


async def _on_overload(request: Request, error: Exception) -> Response:
    detail = f"{error}, more than the server takes; ask again later"
    return problem_response(request, ProblemError(503, Told(detail, "busy"), headers={"Retry-After": "5"}))


async def _on_damaged(request: Request, error: Exception) -> Response:
    assert isinstance(error, DamagedError)
    return problem_response(request, ProblemError(500, f"{error}; {error.todo}", kind="damaged"))


async def _on_gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it; the number is the one that logs know


def bug_response(request: Request, error: Exception) -> Response:
    """The answer to what the server did not expect; the log has the rest."""
    log.error("request %s failed", getattr(request.state, "request_id", "?"), exc_info=error)
    words = Told("something went wrong in the server; its log says more under this request_id", "bug")
    return problem_response(request, ProblemError(500, words))
