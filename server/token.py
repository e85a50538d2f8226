"""The token of a server that others can reach: sent with each request, or shown once in the browser, which keeps a cookie for it."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from itsdangerous import Signer
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.told import Told
from server.origins import PROBES
from server.problems import ProblemError, problem_response
from server.proxies import own_path
from server.settings import Settings

COOKIE = "retrograd_token"
_IN = "in"


class TokenGuard:
    """Lets through what shows the token: `Authorization: Bearer`, or the cookie that `GET /?token=…` gives. No token is set: everything."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.token = settings.token.get_secret_value() if settings.token else None
        self.signer = Signer(self.token or "", salt="retrograd.token")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.token is None or scope["type"] != "http" or own_path(scope) in PROBES or self._is_known(Request(scope)):
            await self.app(scope, receive, send)
            return
        await self._answer(Request(scope))(scope, receive, send)

    def _is_known(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(given.strip()):
            return True
        cookie = request.cookies.get(COOKIE)
        return cookie is not None and self.signer.validate(cookie)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), (self.token or "").encode())

    def _answer(self, request: Request) -> Response:
        given = parse_qs(request.scope["query_string"].decode("latin-1")).get("token", [])
        if request.method == "GET" and len(given) == 1 and self._is_token(given[0]):
            root = request.scope.get("root_path", "")
            response = RedirectResponse(f"{root}/", 303, {"Cache-Control": "no-store"})
            signed = self.signer.sign(_IN).decode()
            secure = request.url.scheme == "https"
            response.set_cookie(COOKIE, signed, max_age=30 * 86400, path=f"{root}/", secure=secure, httponly=True, samesite="lax")
            return response
        detail = "this server asks for its token; open /?token=… in the browser once, or send the header Authorization: Bearer …"
        return problem_response(request, ProblemError(401, Told(detail, "token"), headers={"WWW-Authenticate": "Bearer"}))
