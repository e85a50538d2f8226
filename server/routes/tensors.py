"""One tensor of a trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from engine.trace import Document
from engine.trace.arena import decode, encode
from engine.trace.part import STATISTICS
from server.problems import ProblemError
from server.routes.found import found
from server.routes.tensor_response import RESPONSES, Format, send_tensor
from server.routes.trace_response import lasting
from server.services import Use

router = APIRouter()


@router.get("/{trace_id}/tensors/{reference}", responses=RESPONSES)
def read_tensor(
    request: Request, trace_id: str, reference: Annotated[int, Path(ge=0, le=2**31)], services: Use,
    format: Format = None,  # noqa: A002 - the name in the address
) -> Response:  # fmt: skip
    """The numbers behind a reference, with their statistics (JSON), or bare: little-endian, C order, shape and type in headers (raw)."""
    document = services.documents.of(found(services.traces.get(trace_id), "trace"))
    tensors = document.doc["tensors"]
    count = len(tensors["offset"])
    if reference >= count:
        raise ProblemError(404, f"the trace has no such tensor; its references are 0 to {count - 1}")
    array, code = document.tensor(reference), tensors["dtypes"][tensors["dtype"][reference]]

    def about() -> Mapping[str, Any]:
        return {"trace": trace_id, "reference": reference, **encode(array), "statistics": _statistics(document, reference)}

    return send_tensor(request, array, format, code, f"tensor-{reference}", about, lasting(document.doc["program"]))


def _statistics(document: Document, reference: int) -> dict[str, Any]:
    columns = document.doc["tensors"]["statistics"]
    return {name: decode(columns[name])[reference].item() for name in STATISTICS}
