"""What if a value were another, or a gradient were cut off? The trace computed again with edits: forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.tape import Tape
from engine.trace.document import Document
from engine.trace.edits import Change, gather
from engine.trace.rebuild import Rebuilt
from engine.trace.recorder import record

_OF_THE_PARENT = ("note.fused_difference",)  # said of numbers that are others now


def what_if(
    document: Document, edits: Sequence[Change], program: Mapping[str, Any], batch: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The trace document that comes of a trace with some values changed, some uses muted, or its gradients kept.

    program: of the new trace. batch: what its sequences are, the trace's own unless given. Edited leaves keep their paths; the new elements
    of a computed node come by a node ``where`` after it, which has its label; a muted use reads through a ``truncate``, whose derivative is
    0. An update takes the optimizer's state as it was recorded.
    Raises EditError, a ValueError, for edits that the trace cannot take; ValueError for a trace without gradients; what operations raise.
    """
    gathered = gather(document, edits)
    with Tape("TRACE") as tape, np.errstate(all="ignore"):
        rebuilt = Rebuilt(document, tape, gathered)
        run = rebuilt.backward()
        new = rebuilt.update()
        after = None
        if document.doc["after"] is not None:
            replayed = tape.replay(new)
            after = {node: value for node, value in enumerate(replayed) if value is not tape.values[node]}
        notes = [note for note in document.doc["notes"] if note["key"] not in _OF_THE_PARENT]
        found = record(tape, run, program=program, batch=document.doc["batch"] if batch is None else batch, after=after, notes=notes)
    sources = {node["path"]: node["source"] for node in document.nodes}
    for node in found["nodes"]:
        node["source"] = sources.get(node["path"])  # the lines that made them, not those that computed them again
    return found
