"""By which names this server goes, and whose pages may write to it.

A name that resolves to this machine is not enough: a page of another site can make its own name resolve here (DNS rebinding) and would
then be this server's own origin to the browser. So the Host of every request has to be a name that is known, and the Origin of a write
has to be that very host.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from server.problems import ProblemError, problem_response
from server.proxies import own_path
from server.settings import Settings

READS = ("GET", "HEAD", "OPTIONS")
PROBES = ("/healthz", "/readyz")  # asked by machines that know an address alone
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?)(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.+)")
_PORTS = {"http": "80", "https": "443"}
_OF_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]"})


class OriginGuard:
    """Refuses requests that came by a name which is not this server's, and writes from the pages of others."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings
        self.names = {*_OF_THIS_MACHINE, *(name.lower() for name in settings.hosts)}
        if _address(settings.host) is not None:
            self.names.add(_bracketed(settings.host))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and own_path(scope) not in PROBES:
            try:
                self._check(scope["method"], Headers(scope=scope))
            except ProblemError as error:
                await problem_response(Request(scope), error)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _check(self, method: str, headers: Headers) -> None:
        host = _one(headers.getlist("host"))
        parts = _HOST.fullmatch(host.lower())
        if parts is None or not self._knows(parts[1]):
            detail = "the Host of this request is none of this server's names; use an address it listens at, or name it in RETROGRAD_HOSTS"
            raise ProblemError(421, detail)
        if method in READS:
            return
        origins = headers.getlist("origin")
        if not origins and headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            return  # not a browser, or a page of ours
        origin = _one(origins)
        if origin not in self.settings.origins and not _same(origin.lower(), parts):
            detail = "another site's page sent this; only this server's own pages may write, and those of RETROGRAD_ORIGINS"
            raise ProblemError(403, detail)

    def _knows(self, name: str) -> bool:
        if name in self.names:
            return True
        if self.settings.hosts:
            return "*" in self.settings.hosts
        # A name can be made to lead here, an address cannot. Who serves the public without naming hosts has no secret to lose.
        return not self.settings.loopback and (self.settings.public or _address(name.strip("[]")) is not None)


def _one(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else ""


def _same(origin: str, host: re.Match[str]) -> bool:
    """Whether an origin is the one that a Host header names. Its scheme is left open, as a proxy may have ended the encryption."""
    parts = _ORIGIN.fullmatch(origin)
    where = _HOST.fullmatch(parts[2]) if parts else None
    if parts is None or where is None:
        return False  # `null` is none, nor is anything with a path, a user or spaces
    usual = _PORTS[parts[1]]
    return (where[1], where[2] or usual) == (host[1], host[2] or usual)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _bracketed(host: str) -> str:
    return f"[{host.lower()}]" if ":" in host else host
