"""A client of Retrograd's API for Python. It needs httpx, pydantic and numpy, and nothing else of Retrograd.

    from server.client import Client

    with Client("http://127.0.0.1:8000") as client:
        run = client.runs.create({"task": "digits", "cell": "gru"})
        run.train(300)
        for event in run.stream():
            print(event)
        trace = run.trace(300)
        trace.gradient("rnn.weight_hh_l0")

AsyncClient has the same methods, which are awaited. docs/client.md has all of it.
"""

from server.client.clients import AsyncClient, Client
from server.client.errors import (
    BusyError,
    ConflictError,
    ConnectionFailedError,
    InvalidError,
    NoNumbersError,
    NoSuchNodeError,
    NotFoundError,
    ProblemError,
    RetrogradError,
    TokenError,
    UnexpectedAnswerError,
)
from server.client.events import Deleted, Observed, Progress, RunEvent, Status, Validated
from server.client.figures import Figure

__all__ = [
    "AsyncClient",
    "BusyError",
    "Client",
    "ConflictError",
    "ConnectionFailedError",
    "Deleted",
    "Figure",
    "InvalidError",
    "NoNumbersError",
    "NoSuchNodeError",
    "NotFoundError",
    "Observed",
    "ProblemError",
    "Progress",
    "RetrogradError",
    "RunEvent",
    "Status",
    "TokenError",
    "UnexpectedAnswerError",
    "Validated",
]
