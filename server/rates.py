"""How often one address may write."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.told import Told
from server.origins import READS
from server.problems import ProblemError, problem_response
from server.settings import Settings

_ADDRESSES = 10_000  # remembered; those that wrote least lately are forgotten first


class Buckets:
    """A bucket of tokens for each address: as many as it may write a second, filled again at that pace."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.clock = rate, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # how full, and when that was

    def take(self, address: str) -> float:
        """Takes one token; the seconds to wait for one where there is none, else 0."""
        now = self.clock()
        level, then = self._buckets.pop(address, (self.rate, now))
        level = min(self.rate, level + (now - then) * self.rate)
        wait = 0.0 if level >= 1 else (1 - level) / self.rate
        self._buckets[address] = (level if wait else level - 1, now)
        if len(self._buckets) > _ADDRESSES:
            self._buckets.popitem(last=False)
        return wait


class RateGuard:
    """Refuses the writes of an address beyond its pace."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.rate = app, settings.writes_per_second
        self.buckets = Buckets(settings.writes_per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in READS:
            wait = self.buckets.take(client_address(scope))
            if wait:
                detail = f"more than {self.rate:g} writes a second came from this address; send them slower"
                error = ProblemError(429, Told(detail, "rate", most=self.rate), headers={"Retry-After": str(math.ceil(wait))})
                await problem_response(Request(scope), error)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def client_address(scope: Scope) -> str:
    """Where a request came from; behind a trusted proxy, where the proxy says that it came from.

    Of IPv6 the network: whoever has one address has all of its 2**64.
    """
    given = str(scope["client"][0]) if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return given
    return given if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
