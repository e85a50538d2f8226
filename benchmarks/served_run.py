"""How fast a whole run goes over HTTP: workers, database, stream and a listener included, by the clock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from benchmarks.service import Client

API = "/api/v1"


class RefusedError(RuntimeError):
    """An answer that a measurement cannot go on with."""


def ask(client: Client, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the API says. Raises RefusedError for a refusal."""
    status, answer = client.send(method, API + path, None if body is None else json.dumps(body).encode())
    if status >= 300:
        raise RefusedError(f"{method} {path}: {status} {answer[:300]!r}")
    return dict(json.loads(answer)) if answer else {}


def create(client: Client, program: Mapping[str, Any]) -> str:
    """A run that has done nothing yet: its id."""
    return str(ask(client, "POST", "/runs", {"program": program})["id"])


def train(port: int, run: str, steps: int) -> None:
    """Asks for steps and listens until the last of them has come.

    Raises RefusedError where steps are missing, or where the stream ends before.
    """
    stream = Client(port)
    stream.connection.request("GET", f"{API}/runs/{run}/events")
    response = stream.connection.getresponse()
    ask(Client(port), "POST", f"/runs/{run}/steps", {"count": steps})
    kind, heard = b"", 0
    while heard < steps:
        line = response.readline()
        if not line:
            raise RefusedError(f"the stream of {run} ended after {heard} of {steps} steps")
        if line.startswith(b"event: "):
            kind = line[7:].strip()
        elif line.startswith(b"data: ") and kind == b"progress":
            data = json.loads(line[6:])
            if data["first"] != heard + 1:
                raise RefusedError(f"the stream of {run} went from step {heard} to {data['first']}")
            heard = data["step"]
    stream.connection.close()


def whole(port: int, program: Mapping[str, Any], steps: int) -> None:
    """A run from the first request to the last step that is heard."""
    train(port, create(Client(port), program), steps)
