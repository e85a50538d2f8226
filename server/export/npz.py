"""All numbers of a trace as one file for `numpy.load`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np

from engine.ops.op import Array
from engine.trace import Document


def write(document: Document) -> bytes:
    """Members `value/{path}`, `gradient/{path}`, `after/{path}`; of an event with an array `{kind}/{path}/{event}` (kind: seed, vjp,
    unbroadcast, accumulate; path: who receives it), of one with terms `update/{path}/{term}` or `clip/{event}/{term}`. `trace` is a text of
    JSON: `schema`, `id`, `program`.

    In a name, whatever could mean something to a file system is percent-encoded.
    """
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **dict(arrays(document)))
    return out.getvalue()


def arrays(document: Document) -> Iterator[tuple[str, Array]]:
    """Every array of a trace with its name in the file."""
    about = {name: document.doc[name] for name in ("schema", "schema_version", "id", "program")}
    yield "trace", np.array(json.dumps(about))
    names = [member(node["path"]) for node in document.nodes]
    for node, name in enumerate(names):
        yield f"value/{name}", document.value(node)
    for node, name in enumerate(names):
        gradient = document.gradient(node)
        if gradient is not None:
            yield f"gradient/{name}", gradient
    events = document.doc["events"]
    kinds = [events["kinds"][kind] for kind in events["kind"]]
    for event, (kind, target, reference) in enumerate(zip(kinds, events["target"], events["tensor"], strict=True)):
        if target >= 0 and reference >= 0:
            yield f"{kind}/{names[target]}/{event}", document.tensor(reference)
    for node, reference in ((document.doc["after"] or {}).get("values", {})).items():
        yield f"after/{names[int(node)]}", document.tensor(reference)
    for event, details in events["details"].items():
        node = events["node"][int(event)]
        place = f"{kinds[int(event)]}/{names[node] if node >= 0 else event}"
        for term, reference in details["terms"].items():
            yield f"{place}/{member(term)}", document.tensor(reference)


def member(path: str) -> str:
    """A path as the name of a file within the archive: no part of it leads anywhere else when it is unpacked."""
    parts = (quote(part.encode("utf-8", "surrogatepass"), safe="#=@()[],+ ") for part in path.split("/"))
    return "/".join(part.replace(".", "%2E") if part.strip(".") == "" else part for part in parts)
