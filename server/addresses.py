"""Writes to addresses that take none are answered before anybody asks for their bodies."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from server.problems import http_problem, problem_response


class AddressGuard:
    """404 and 405 come before what is said of a body: who has mistaken the address need not mend the Content-Type first."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("POST", "PUT", "PATCH"):
            matches = {route.matches(scope)[0] for route in scope["app"].router.routes}
            if Match.FULL not in matches:
                request = Request(scope)
                error = http_problem(request, 405 if Match.PARTIAL in matches else 404)
                await problem_response(request, error)(scope, receive, send)
                return
        await self.app(scope, receive, send)
