"""What workers compute of uploads. Stateless: everything comes in by argument and goes out by result."""

from __future__ import annotations

from server import limits
from server.jobs.processor_time import processor_time
from server.store.uploads import Upload
from server.uploads import content_id, describe, read


def pack_upload(data: bytes, seconds: float = limits.COMPUTE_SECONDS) -> Upload:
    """The file as it is stored, read whole within `seconds` of processor time. Raises what `read` does."""
    with processor_time(seconds):
        form, arrays = read(data)
        return Upload(content_id(data), form, describe(arrays), data)
