"""The server's process: uvicorn, which is told of streams that have no end of their own."""

from __future__ import annotations

import gc
import socket
import sys
from contextlib import suppress
from typing import Any

import uvicorn
from fastapi import FastAPI

KEEP_ALIVE_SECONDS = 8  # an idle connection; longer than clients keep one (httpx: 5), so that none sends a request on one just closed


class Server(uvicorn.Server):
    """Frees the garbage collector of what is loaded, and ends the streams of events when it is to stop; else as uvicorn does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """What is loaded by then stays: the garbage collector need not look through it each time that a large body makes many objects."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app: Any = self.config.app
        if hasattr(app.state, "streams"):  # else it has not started
            app.state.streams.close()
        await super().shutdown(sockets)


def serve(app: FastAPI, **options: Any) -> None:
    """Serves until a signal ends it. Exits with an error where it could not start."""
    server = Server(uvicorn.Config(app, timeout_keep_alive=KEEP_ALIVE_SECONDS, **options))
    with suppress(KeyboardInterrupt):  # it has ended as it should
        server.run()
    if not server.started:
        sys.exit(1)
