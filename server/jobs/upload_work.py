"""What workers compute of uploads. Stateless: everything comes in by argument and goes out by result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from engine.ops.op import Array
from server import limits
from server.jobs.processor_time import processor_time
from server.programs.uploaded import Uploaded
from server.store.uploads import Upload
from server.uploads import content_id, describe, read

T = TypeVar("T", dict[str, Any], list[dict[str, Any]])


def pack_upload(data: bytes, seconds: float = limits.COMPUTE_SECONDS) -> Upload:
    """The file as it is stored, read whole within `seconds` of processor time. Raises what `read` does."""
    with processor_time(seconds):
        form, arrays = read(data)
        return Upload(content_id(data), form, describe(arrays), data)


def tensor_of(data: bytes, name: str) -> Array | None:
    """A tensor of a file that was read before; None where it has none of this name."""
    return read(data)[1].get(name)


def fill(what: T, files: Mapping[str, bytes], elements: int, seconds: float = limits.COMPUTE_SECONDS) -> T:
    """A program, or edits of a trace, with the numbers of uploads in place of what refers to them, within `seconds` of processor time.

    files: the uploads that there are, by id. elements: the most numbers that come of them. Raises ProgramError and LimitError.
    """
    with processor_time(seconds):
        uploaded = Uploaded(lambda upload_id: read(files[upload_id])[1] if upload_id in files else None, elements)
        return uploaded.in_program(what) if isinstance(what, dict) else uploaded.in_edits(what, "/edits")
