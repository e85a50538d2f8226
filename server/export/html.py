"""A film as one file: the page, its fonts and the trace, played from a disk without any network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib import resources
from typing import Any
from urllib.parse import quote

from engine.trace import Document, itemise
from engine.trace.bptt import NotItemisedError
from server.export import NotBuiltError
from server.export.drawing import title_of
from server.figures.saved import saved_figures
from server.tasks import NAMES, describe_task, load

ORIGINAL_BYTES = 4_000_000  # of the film that another is an edit of; a larger one stays away, and the page says so
PAIRS_BYTES = 1_000_000  # of all pairs of steps, of as many examples and recurrences as there is room for

# What may run is the page's script and Plotly, by their hashes; nothing may be fetched. The graph's layout is a worker of the page's own.
_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; font-src data:; img-src data: blob:; "
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
{data}<script type="module">{script}</script>
</body>
</html>
"""
# Data: web/src/app/savedPlotly.ts runs Plotly when the first figure is shown, web/src/graph/elkWorkerInline.ts makes a worker of ELK.
_DATA = """<script type="text/plain" id="retrograd-{name}">{source}</script>
"""


def write(document: Document, original: Document | None = None) -> bytes:
    """The page with the trace, its figures and pairs of steps in it, and with the `original` that it is an edit of.

    Raises NotBuiltError where the web app is not built.
    """
    script, style = _within_script(_built("film.js")), _built("film.css").replace("</", r"<\/")
    film = _film(document)
    if original is not None:
        film["answers"][_address(original)] = original.doc
    data = {"plotly": bool(film["figures"]), "elk": film["page"] == "expression"}
    sources = {name: _within_script(_built(f"{name}.js")) for name, needed in data.items() if needed}
    runs = [script, *(source for name, source in sources.items() if name == "plotly")]  # a worker needs no leave of its own
    parts = {
        "policy": _POLICY.format(scripts=" ".join(f"'sha256-{_digest(source)}'" for source in runs)),
        "data": "".join(_DATA.format(name=name, source=source) for name, source in sources.items()),
        "title": html.escape(f"{title_of(document)} · Retrograd"),
        "style": style, "film": _within_data(film), "script": script,
    }  # fmt: skip
    return _PAGE.format(**parts).encode()


def _film(document: Document) -> dict[str, Any]:
    """What web/src/api/embedded.ts reads: which page shows it, for which program, the API's answers by their addresses, the figures."""
    program = document.doc["program"]
    while program.get("kind") == "what-if":  # is shown as what it changes
        program = program["program"]
    tasks = [describe_task(load(program["task"], program.get("length")))] if program.get("task") in NAMES else []
    recurrent = any(node["time"] is not None for node in document.nodes)
    return {
        "page": "network" if program.get("kind") == "network" or (recurrent and program.get("kind") != "expression") else "expression",
        "program": program if program.get("kind") in ("expression", "network") else None,
        "answers": {"/opening": document.doc, "/tasks": {"items": tasks}, **_pairs(document)},
        "figures": saved_figures(document),
    }


def _address(document: Document) -> str:
    return f"/traces/{quote(document.doc['id'], safe='')}"


def _pairs(document: Document) -> dict[str, Any]:
    """Itemised BPTT by the addresses at which web/src/api/client.ts asks for it, within PAIRS_BYTES."""
    answers: dict[str, Any] = {}
    left = PAIRS_BYTES
    try:
        cells = itemise(document)["cells"]
        for cell in cells:
            for row in range(len((document.doc.get("batch") or {}).get("examples", []))):
                answer = itemise(document, row=row, scope=cell)
                left -= len(json.dumps(answer))
                if left < 0:
                    return answers
                answers[f"{_address(document)}/bptt?row={row}&cell={quote(cell, safe='')}"] = answer
    except NotItemisedError:
        pass  # too large, or nothing that recurs
    return answers


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


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
