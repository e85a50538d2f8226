"""One array as an HTTP response: as JSON, as bare numbers, or as a file of numpy's."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Query, Request
from starlette.responses import Response

from engine.ops.op import Array
from server.accept import preferred
from server.encoding import answer
from server.programs.errors import LimitError
from server.routes.trace_response import send_derived
from server.settings import Settings

Form = Literal["json", "raw", "npy"]
MEDIA_TYPES: Mapping[Form, str] = {"json": "application/json", "raw": "application/octet-stream", "npy": "application/x-npy"}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPES["raw"]: {"schema": {"type": "string", "format": "binary"}},
                      MEDIA_TYPES["npy"]: {"schema": {"type": "string", "format": "binary"}}}}
}  # fmt: skip
Format = Annotated[Form | None, Query(description="as Accept says, unless given")]


def send_tensor(
    request: Request,
    array: Array,
    form: Form | None,
    code: str,
    name: str,
    about: Callable[[], Mapping[str, Any]],
    control: str = "public, max-age=31536000, immutable",
) -> Response:
    """The array in a form; as Accept says, unless that is given. What it is of never changes.

    code: its dtype, such as f8. name: of a file of numpy's, without its end. about: what JSON says.
    Raises LimitError for one that is too large to be sent.
    """
    chosen = form or _accepted(request.headers.get("accept", ""))
    headers = {"Cache-Control": control, "Vary": "Accept, Accept-Encoding"}
    match chosen:
        case "raw":
            headers |= {"X-Tensor-Dtype": code, "X-Tensor-Shape": ",".join(map(str, array.shape))}
            content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        case "npy":
            headers["Content-Disposition"] = f'attachment; filename="{name}.npy"'
            file = io.BytesIO()
            np.save(file, array, allow_pickle=False)
            content = file.getvalue()
        case "json":
            content = answer(about())
    settings: Settings = request.app.state.services.settings
    if len(content) > settings.response_bytes:
        held = f"this tensor has {len(content):,} bytes in this form, at most {settings.response_bytes:,} are sent"
        raise LimitError(f"{held}; ask for it raw or as npy, which are smaller than JSON", settings.response_bytes, len(content))
    return send_derived(request, content, MEDIA_TYPES[chosen], headers)


def _accepted(header: str) -> Form:
    """The form that Accept gives the greatest weight; JSON where it takes none of them."""
    taken = preferred(header, tuple(MEDIA_TYPES.values()))
    return next((form for form, known in MEDIA_TYPES.items() if known == taken), "json")
