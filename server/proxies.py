"""Behind a proxy: whence a request came, whether it was encrypted, and under which prefix the proxy has put this server."""

from __future__ import annotations

import re
from typing import Any, cast

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from server.settings import Settings

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")


class ProxyGuard:
    """Believes the X-Forwarded headers of the proxies that were named, and of nobody else.

    A prefix is one that the proxy has taken off the address (X-Forwarded-Prefix, else RETROGRAD_ROOT_PATH).
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.root_path = cast(Any, app), settings.root_path
        self.forwarded = ProxyHeadersMiddleware(self.app, trusted_hosts=settings.proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trusted = bool(scope["client"]) and scope["client"][0] in self.forwarded.trusted_hosts
        given = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/") if trusted else ""
        prefix = given if _PREFIX.fullmatch(given) and ".." not in given.split("/") else self.root_path
        if prefix and not scope.get("root_path"):
            scope = {**scope, "root_path": prefix, "path": prefix + scope["path"]}
        await self.forwarded(cast(Any, scope), cast(Any, receive), cast(Any, send))


def own_path(scope: Scope) -> str:
    """The path without the prefix."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))
