"""Two ways to wait: what the rest of the client describes is sent and received here, and nowhere else."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from typing import Any, TypeVar

import httpx

from server.client.flow import Flow, Pause, Request
from server.client.subscription import QUIET, Subscription

T = TypeVar("T")
API = "/api/v1"


class _Transport:
    """What both know: where the server is, who asks, how long to wait and how often to try."""

    def __init__(self, base_url: str, token: str | None, timeout: float, retries: int) -> None:
        self.base_url = base_url.rstrip("/").removesuffix(API) + API
        self.retries = retries
        self._stream_timeout = httpx.Timeout(timeout, read=max(timeout, QUIET))
        headers = {"Accept": "application/json", "User-Agent": "retrograd-client"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._options: dict[str, Any] = {
            "base_url": self.base_url, "timeout": timeout, "headers": headers, "trust_env": not _here(self.base_url),
        }  # fmt: skip


class SyncTransport(_Transport):
    """Waits as threads do. May be used from several threads."""

    def __init__(self, base_url: str, token: str | None, timeout: float, retries: int) -> None:
        super().__init__(base_url, token, timeout, retries)
        self._http = httpx.Client(**self._options)

    def close(self) -> None:
        self._http.close()

    def run(self, flow: Flow[T]) -> T:
        """The flow's result."""
        try:
            step = next(flow)
            while True:
                if isinstance(step, Pause):
                    time.sleep(step.seconds)
                    step = flow.send(None)
                    continue
                try:
                    response = self._http.request(**_arguments(step))
                except httpx.TransportError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(response)
        except StopIteration as end:
            result: T = end.value
            return result

    def listen(self, subscription: Subscription[T]) -> Generator[T]:
        """The events, over as many connections as it takes."""
        while True:
            try:
                with self._http.stream(**_arguments(subscription.request()), timeout=self._stream_timeout) as response:
                    if response.is_error:
                        response.read()
                        subscription.refused(response)
                    else:
                        for data in response.iter_bytes():
                            yield from subscription.feed(data)
                            if subscription.over or (subscription.unsure() and self.run(subscription.at_rest())):
                                return
                        subscription.broken(None)
            except httpx.TransportError as error:
                subscription.broken(error)
            time.sleep(subscription.delay())


class AsyncTransport(_Transport):
    """Waits as tasks of asyncio do. Belongs to one event loop."""

    def __init__(self, base_url: str, token: str | None, timeout: float, retries: int) -> None:
        super().__init__(base_url, token, timeout, retries)
        self._http = httpx.AsyncClient(**self._options)

    async def close(self) -> None:
        await self._http.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """The flow's result."""
        try:
            step = next(flow)
            while True:
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    step = flow.send(None)
                    continue
                try:
                    response = await self._http.request(**_arguments(step))
                except httpx.TransportError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(response)
        except StopIteration as end:
            result: T = end.value
            return result

    async def listen(self, subscription: Subscription[T]) -> AsyncGenerator[T]:
        """The events, over as many connections as it takes."""
        while True:
            try:
                async with self._http.stream(**_arguments(subscription.request()), timeout=self._stream_timeout) as response:
                    if response.is_error:
                        await response.aread()
                        subscription.refused(response)
                    else:
                        async for data in response.aiter_bytes():
                            for event in subscription.feed(data):
                                yield event
                            if subscription.over or (subscription.unsure() and await self.run(subscription.at_rest())):
                                return
                        subscription.broken(None)
            except httpx.TransportError as error:
                subscription.broken(error)
            await asyncio.sleep(subscription.delay())


def _arguments(request: Request) -> Mapping[str, Any]:
    """What httpx takes for a request."""
    return {
        "method": request.method, "url": request.path, "params": request.params or None, "headers": request.headers,
        "content": request.content,
    }  # fmt: skip


def _here(url: str) -> bool:
    """Whether the address is of this machine, to which no proxy leads."""
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
