"""What a run does, as it does it: a stream of server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.event_stream import Streams
from server.problems import ProblemError
from server.routes.runs import state_of
from server.services import Use
from server.store.run_changes import Position

router = APIRouter(prefix="/runs", tags=["runs"])
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # the second is for nginx, which would keep events back


@router.get("/{run_id}/events")
async def follow(
    request: Request, run_id: str, services: Use,
    last_event_id: Annotated[str | None, Query(max_length=40, description="go on after this event, as Last-Event-ID does")] = None,
    last: Annotated[
        str | None, Header(alias="Last-Event-ID", max_length=40, description="go on after this event; a browser sends it by itself")
    ] = None,
) -> Response:  # fmt: skip
    """What a run does, as it does it, from its first step or from the event that the client had last; it stays open.

    Events are `progress` (losses, norms and learning rates of the steps since), `observation`, `validation`, `status` and, at the end of a
    run that is deleted, `deleted`; docs/api.md has their fields. At most ten updates a second come.
    """
    given = last or last_event_id  # a browser that comes again asks for the address that it asked for first
    try:
        since = Position() if given is None else Position.read(given)
    except ValueError as error:
        raise ProblemError(422, str(error)) from None
    await run_in_threadpool(state_of, services, run_id)
    visitor = services.visitors.of(request)
    services.streams.admit(visitor)
    return EventStream(services.streams, visitor, services.streams.listen(run_id, since))


class EventStream(Response):
    """Sends events until the client goes. It lags behind where the client is slow; what is not sent yet stays where it was."""

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, visitor: str, events: AsyncGenerator[bytes]) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self.streams, self.visitor, self.events = streams, visitor, events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tasks = [asyncio.create_task(self._send(scope, send)), asyncio.create_task(_gone(receive))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self.streams.leave(self.visitor)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if not scope["state"]["head"]:
            async with aclosing(self.events) as events:
                async for data in events:
                    await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
