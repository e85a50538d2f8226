"""A film as one file: the page, its fonts and the trace, played from a disk without any network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib import resources
from typing import Any

from engine.trace import Document
from server.export import NotBuiltError
from server.export.drawing import title_of
from server.tasks import NAMES, describe_task, load

# What may run is the one script of the page, by its hash; nothing may be fetched. The graph's layout is a worker of the page's own.
_POLICY = (
    "default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; font-src data:; img-src data: blob:; "
    "worker-src blob:; base-uri 'none'; form-action 'none'"
)
_PAGE = """<!doctype html>
<html lang="en" data-theme="light" data-lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Retrograd">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="app"></div>
<noscript>Retrograd draws its films with JavaScript: please allow it for this page.</noscript>
<script type="application/json" id="retrograd-film">{film}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def write(document: Document) -> bytes:
    """The page with the trace in it. Raises NotBuiltError where the web app is not built."""
    script, style = _within_script(_built("film.js")), _built("film.css").replace("</", r"<\/")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        "policy": _POLICY.format(hash=digest), "title": html.escape(f"{title_of(document)} · Retrograd"),
        "style": style, "film": _within_data(_film(document)), "script": script,
    }  # fmt: skip
    return _PAGE.format(**parts).encode()


def _film(document: Document) -> dict[str, Any]:
    """What web/src/api/embedded.ts reads: which page shows it, for which program, and the API's answers by their addresses."""
    program = document.doc["program"]
    while program.get("kind") == "what-if":  # is shown as what it changes
        program = program["program"]
    tasks = [describe_task(load(program["task"]))] if program.get("task") in NAMES else []
    recurrent = any(node["time"] is not None for node in document.nodes)
    return {
        "page": "network" if program.get("kind") == "network" or (recurrent and program.get("kind") != "expression") else "expression",
        "program": program if program.get("kind") in ("expression", "network") else None,
        "answers": {"/opening": document.doc, "/tasks": {"items": tasks}},
    }


def _built(name: str) -> str:
    try:
        return resources.files("server").joinpath("static", ".film", name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotBuiltError("the web app is not built; stop the server and start it with `make run`, which builds it") from None


def _within_data(value: Any) -> str:
    """JSON in a script element: without a `<` nothing in it can end the element or begin another."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", r"\u003c")


def _within_script(text: str) -> str:
    r"""JavaScript in a script element: `</script` and `<!--` stand in strings and patterns alone, where \x3c is `<`."""
    for opening in ("</script", "</SCRIPT", "<!--", "<script", "<SCRIPT"):
        text = text.replace(opening, rf"\x3c{opening[1:]}")
    return text
