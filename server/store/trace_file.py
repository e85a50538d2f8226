"""A trace as it is stored and sent. Knows nothing of the database: workers make such files, and begin the sooner for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from isal import igzip

from server import limits
from server.encoding import dumps
from server.store.blobs import sha256


@dataclass(frozen=True)
class TraceFile:
    """program: as lists show it. document: the JSON, gzip (which ISA-L writes in a tenth of zlib's time). size: its bytes before that."""

    id: str
    program: dict[str, Any]
    size: int
    document: bytes

    @classmethod
    def pack(cls, trace_id: str, program: dict[str, Any], text: bytes) -> TraceFile:
        return cls(trace_id, listed(program), len(text), igzip.compress(text, 2, mtime=0))

    @cached_property
    def sha256(self) -> str:
        """Of the stored bytes: traces of one id may differ in what the id leaves out, such as source lines."""
        return sha256(self.document)

    def text(self) -> bytes:
        """The JSON document."""
        text: bytes = igzip.decompress(self.document)  # type: ignore[no-untyped-call]
        return text


def listed(program: dict[str, Any]) -> dict[str, Any]:
    """A program as a list shows it. One that holds many numbers, which its document holds as well, is told by its kind, its size (`bytes`)
    and, of a network, what its file is called by.
    """
    size = len(dumps(program))
    if size <= limits.LISTED_PROGRAM_BYTES:
        return program
    return {name: program[name] for name in ("kind", "task", "cell", "step") if name in program} | {"bytes": size}
