"""Servers of our own to measure, each in a process of its own on loopback, and a client that costs little."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60
# As docs/settings.md names them: what holds a visitor back must not hold the measurement back.
UNLIMITED = {"RETROGRAD_WRITES_PER_SECOND": "1000000", "RETROGRAD_QUEUE": "1000", "RETROGRAD_TRACE_BYTES": str(64 << 20)}


class Client:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """The status and the body."""
        self.connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        response = self.connection.getresponse()
        return response.status, response.read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(command: Sequence[str], port: int, environment: Mapping[str, str], path: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                if Client(port).send("GET", path)[0] == 200:
                    break
            except OSError:
                pass
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the server did not start: {' '.join(command)}")
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def retrograd(settings: Mapping[str, str] | None = None) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """This server, on a database of its own, with its limits raised: its port and its process. settings: more environment variables."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as data:
        environment = {**UNLIMITED, **(settings or {}), "RETROGRAD_PORT": str(port), "RETROGRAD_DATA": data}
        with _process([sys.executable, "-m", "server", "serve"], port, environment, "/api/v1/health") as process:
            yield port, process


BARE = """
import sys
from pathlib import Path
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

content = {size: Path(sys.argv[2], size).read_bytes() for size in sys.argv[3:]}

async def send(request):
    return Response(content[request.path_params["size"]], media_type="application/json")

uvicorn.run(Starlette(routes=[Route("/{size}", send)]), host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
"""


@contextmanager
def bare(contents: Mapping[str, bytes]) -> Iterator[int]:
    """A Starlette route that returns bytes by name and does nothing else: its port."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            Path(folder, name).write_bytes(content)
        command = [sys.executable, "-c", BARE, str(port), folder, *contents]
        with _process(command, port, {}, f"/{next(iter(contents))}"):
            yield port
