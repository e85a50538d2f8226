"""Two traces side by side: aligned by the paths of their nodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.ops.op import Array
from engine.trace.document import Document
from engine.trace.serial import plain

_STRUCTURE = ("op", "attributes", "shape", "dtype", "role")


def diff(a: Document, b: Document) -> dict[str, Any]:
    """What differs between two traces, as JSON (docs/api.md, "What if"): values, gradients, loss, structure. Equal nodes are not listed.

    Nodes of one path and shape are compared element by element; NaN equals NaN.
    """
    of_a, of_b = ({node["path"]: node for node in document.nodes} for document in (a, b))
    common = [(node, of_b[path]) for path, node in of_a.items() if path in of_b]
    comparable = [(x, y) for x, y in common if x["shape"] == y["shape"]]
    values = [_difference(x, y, a.value(x["id"]), b.value(y["id"])) for x, y in comparable]
    gradients = [_difference(x, y, a.gradient(x["id"]), b.gradient(y["id"])) for x, y in comparable]
    changed = [{"path": x["path"], "what": what} for x, y in common if (what := _structure(a, b, x, y))]
    losses = [document.value(document.loss) for document in (a, b)]
    scalar = all(loss.ndim == 0 for loss in losses)
    found: dict[str, Any] = plain(
        {
            "a": a.doc["id"],
            "b": b.doc["id"],
            "loss": {
                "a": losses[0], "b": losses[1], "difference": float(losses[1]) - float(losses[0]) if scalar else None,
            },
            "values": [one for one in values if one is not None],
            "gradients": [one for one in gradients if one is not None],
            "structure": {
                "only_a": [path for path in of_a if path not in of_b],
                "only_b": [path for path in of_b if path not in of_a],
                "changed": changed,
            },
        }
    )  # fmt: skip
    return found


def _structure(a: Document, b: Document, x: dict[str, Any], y: dict[str, Any]) -> list[str]:
    """What is different about two nodes of one path, beside their numbers."""
    names = [name for name in _STRUCTURE if x[name] != y[name]]
    inputs = [[document.nodes[i]["path"] for i in node["inputs"]] for document, node in ((a, x), (b, y))]
    return [*names, "inputs"] if inputs[0] != inputs[1] else names


def _difference(x: dict[str, Any], y: dict[str, Any], before: Array | None, after: Array | None) -> dict[str, Any] | None:
    """Two arrays of one shape, either None where there is no gradient. None where they are equal."""
    about = {"path": x["path"], "label": y["label"], "time": y["time"], "a": x["id"], "b": y["id"]}
    if before is None or after is None:
        return None if before is after else {**about, "only": "b" if before is None else "a"}
    p, q = before.astype(np.float64), after.astype(np.float64)
    with np.errstate(all="ignore"):
        apart = np.where((p == q) | (np.isnan(p) & np.isnan(q)), 0.0, np.abs(q - p))
    if not apart.size or not apart.any():  # a NaN is true
        return None
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.where(np.isnan(apart), np.inf, apart))), apart.shape))
    return {
        **about, "elements": int(np.count_nonzero(apart)), "norm": float(np.linalg.norm(apart)), "max": float(apart[at]),
        "index": list(at), "from": float(p[at]), "to": float(q[at]),
    }  # fmt: skip
