"""What is stored as bytes: compressed where that pays, and with a hash that tells when the disk no longer gives back what it was given."""

from __future__ import annotations

import hashlib
import logging
import zlib

log = logging.getLogger("retrograd")


class DamagedError(RuntimeError):
    """What is stored is not what was stored. what: of which thing, for people; todo: what helps."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f"what is stored of {what} is damaged: its hash is another than when it was stored", todo)
        self.todo = todo
        log.error("%s", self)

    def __str__(self) -> str:
        return str(self.args[0])


def pack(data: bytes, compressed: bool = True) -> dict[str, bytes | str]:
    """The columns `data` and `sha256` of a blob. compressed: False for what hardly gets smaller, such as a network's weights."""
    packed = zlib.compress(data, 1 if compressed else 0)
    return {"data": packed, "sha256": sha256(packed)}


def unpack(packed: bytes, digest: str, what: str, todo: str) -> bytes:
    """The blob's bytes. Raises DamagedError where they are not those that were stored."""
    check(packed, digest, what, todo)
    return zlib.decompress(packed)


def check(stored: bytes, digest: str, what: str, todo: str) -> None:
    """Raises DamagedError where stored bytes are not those that were stored."""
    if sha256(stored) != digest:
        raise DamagedError(what, todo)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
