"""One tensor of a trace: as JSON, as bare numbers, or as a file of numpy's."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from engine.trace import Document
from engine.trace.arena import decode, encode
from engine.trace.part import STATISTICS
from server.encoding import answer
from server.problems import ProblemError
from server.routes.found import found
from server.routes.trace_response import send_derived
from server.services import Use

Form = Literal["json", "raw", "npy"]
MEDIA_TYPES: Mapping[Form, str] = {"json": "application/json", "raw": "application/octet-stream", "npy": "application/x-npy"}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPES["raw"]: {"schema": {"type": "string", "format": "binary"}},
                      MEDIA_TYPES["npy"]: {"schema": {"type": "string", "format": "binary"}}}}
}  # fmt: skip
router = APIRouter()


@router.get("/{trace_id}/tensors/{reference}", responses=_RESPONSES)
def read_tensor(
    request: Request, trace_id: str, reference: Annotated[int, Path(ge=0, le=2**31)], services: Use,
    format: Annotated[Form | None, Query(description="as Accept says, unless given")] = None,  # noqa: A002 - the name in the address
) -> Response:  # fmt: skip
    """The numbers behind a reference, with their statistics (JSON), or bare: little-endian, C order, shape and type in headers (raw)."""
    document = services.documents.of(found(services.traces.get(trace_id), "trace"))
    count = len(document.doc["tensors"]["offset"])
    if reference >= count:
        raise ProblemError(404, f"the trace has no such tensor; its references are 0 to {count - 1}")
    form = format or _accepted(request.headers.get("accept", ""))
    array = document.tensor(reference)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept, Accept-Encoding"}
    if form == "raw":
        code = document.doc["tensors"]["dtypes"][document.doc["tensors"]["dtype"][reference]]
        headers |= {"X-Tensor-Dtype": code, "X-Tensor-Shape": ",".join(map(str, array.shape))}
        return send_derived(request, array.tobytes(), MEDIA_TYPES[form], headers)
    if form == "npy":
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        headers["Content-Disposition"] = f'attachment; filename="tensor-{reference}.npy"'
        return send_derived(request, file.getvalue(), MEDIA_TYPES[form], headers)
    about = {"trace": trace_id, "reference": reference, **encode(array), "statistics": _statistics(document, reference)}
    return send_derived(request, answer(about), MEDIA_TYPES[form], headers)


def _statistics(document: Document, reference: int) -> dict[str, Any]:
    columns = document.doc["tensors"]["statistics"]
    return {name: decode(columns[name])[reference].item() for name in STATISTICS}


def _accepted(header: str) -> Form:
    """The form that Accept names first with the greatest weight; JSON where it names none of them."""
    wanted: list[tuple[float, Form]] = []
    for part in header.lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        form = next((form for form, known in MEDIA_TYPES.items() if known == media_type), None)
        if form is not None:
            wanted.append((_weight(parameters), form))
    best = max(wanted, key=lambda one: one[0], default=(0.0, "json"))  # the first of equals
    return best[1] if best[0] > 0 else "json"


def _weight(parameters: list[str]) -> float:
    given = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    try:
        return float(given)
    except ValueError:
        return 0.0
