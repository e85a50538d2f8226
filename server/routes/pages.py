"""The built web app."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import Response

from server.problems import ProblemError
from server.services import Use

INDEX, DOCS = "index.html", "docs.html"  # the app, and the description of the API
HASHED = "assets/"  # Vite puts what carries a hash in its name here


class StaticFiles:
    """The files of a folder, looked for there and nowhere else: no address can lead outside it."""

    def __init__(self, folder: Path | None) -> None:
        self.root: Traversable = folder if folder is not None else resources.files("server") / "static"
        self._scan()

    def _scan(self) -> None:
        self.files = dict(_walk(self.root)) if self.root.is_dir() else {}

    def read(self, name: str) -> bytes | None:
        """A file's content. The folder may have been built anew since it was looked through."""
        for _ in range(2):
            try:
                return self.files[name].read_bytes()
            except (KeyError, OSError):
                self._scan()
        return None

    def respond(self, request: Request, path: str) -> Response:
        """The file at a path; the page itself at the root. Raises ProblemError where there is none."""
        name = path or INDEX
        content = self.read(name)
        if content is None and name in (INDEX, DOCS):
            raise ProblemError(503, "the web app is not built; stop the server and start it with `make run`, which builds it")
        if content is None:
            raise ProblemError(404, "there is no such page; the app is at / and the API at /api/v1")
        # Weak, since a middleware may compress what is sent.
        tag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "public, max-age=31536000, immutable" if name.startswith(HASHED) else "no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=_media_type(name))


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry


# Python's table follows the machine's, which is not always right for these.
_MEDIA_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml",
                ".json": "application/json", ".woff2": "font/woff2", ".wasm": "application/wasm"}  # fmt: skip


def _media_type(name: str) -> str:
    known = _MEDIA_TYPES.get(Path(name).suffix.lower())
    return known or mimetypes.guess_type(name)[0] or "application/octet-stream"


class _NotApi(PathConvertor):
    """A path outside the API, where an address that does not exist is a matter of its own."""

    regex = "(?!api(?:/|$)).*"


def router_for(folder: Path | None) -> APIRouter:
    """Every address that is not the API's."""
    register_url_convertor("page", _NotApi())
    files = StaticFiles(folder)
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def docs(request: Request) -> Response:
        return files.respond(request, DOCS)

    @router.get("/{path:page}")
    def page(request: Request, path: str, services: Use) -> Response:
        response = files.respond(request, path)
        return response if path else services.visitors.welcome(request, response)

    return router
