"""Who asks, as far as that is known: a number in a signed cookie, which the page brings along. Nobody has an account."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from server.rates import client_address

COOKIE = "retrograd_visitor"
_YEAR = 365 * 86400


class Visitors:
    """Signs visitors' numbers, and tells them from what others made up."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._signer = Signer(secret, salt="retrograd.visitor", digest_method=hashlib.sha256)

    def of(self, request: Request) -> str:
        """The visitor's number; of one without a cookie of ours, such as a program, one that stands for its address."""
        known = self._known(request)
        return known or "a_" + hmac.new(self._secret.encode(), client_address(request.scope).encode(), "sha256").hexdigest()[:32]

    def welcome(self, request: Request, response: Response) -> Response:
        """The response, with a number for a visitor who has none."""
        response.headers["Vary"] = "Cookie"
        if self._known(request) is None:
            signed = self._signer.sign(f"v_{secrets.token_hex(16)}").decode()
            path, secure = f"{request.scope.get('root_path', '')}/", request.url.scheme == "https"
            response.set_cookie(COOKIE, signed, max_age=_YEAR, path=path, secure=secure, httponly=True, samesite="lax")
        return response

    def _known(self, request: Request) -> str | None:
        try:
            return self._signer.unsign(request.cookies.get(COOKIE, "")).decode()
        except (BadSignature, UnicodeError):
            return None


def secret_in(folder: Path) -> str:
    """The secret that a data folder keeps, made when it has none. Only its owner can read it."""
    path = folder / "secret"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    return path.read_text(encoding="utf-8")
