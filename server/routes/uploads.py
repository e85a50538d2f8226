"""Uploads: files of arrays, kept for the programs that refer to them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.ops.op import Array
from server import limits
from server.bodies import FILE_TYPES
from server.encoding import Json
from server.jobs.upload_work import pack_upload, tensor_of
from server.problems import ProblemError
from server.routes.disconnect import while_connected
from server.routes.found import found, missing
from server.routes.paging import After, Limit, page_of
from server.routes.tensor_response import RESPONSES, Format, send_tensor
from server.services import Use
from server.uploads import UnknownFormatError, UploadError

router = APIRouter(prefix="/uploads", tags=["uploads"])
_FILE = {"requestBody": {"required": True, "content": {FILE_TYPES[0]: {"schema": {"type": "string", "format": "binary"}}}}}


@router.post("", status_code=201, openapi_extra=_FILE)
async def create(request: Request, services: Use) -> Response:
    """Keep a file of arrays: .npy, .npz or .safetensors, told by its first bytes. 200 when the visitor's very same is kept already."""
    data = await request.body()
    work = services.quick.run(pack_upload, data, services.settings.compute_seconds, seconds=limits.QUICK_SECONDS)
    try:
        made = await while_connected(request, work)
    except UnknownFormatError as error:
        raise ProblemError(415, str(error)) from None
    except UploadError as error:
        raise ProblemError(400, str(error)) from None
    visitor = services.visitors.of(request)
    new = await run_in_threadpool(services.uploads.put, visitor, made)
    described = found(await run_in_threadpool(services.uploads.describe, made.id, visitor), "upload")
    return Json(described, 201 if new else 200, {"Location": request.url_for("read_upload", upload_id=made.id).path})


@router.get("")
def index(request: Request, services: Use, limit: Limit = 50, after: After = None) -> Response:
    """The visitor's own uploads, newest first, without their tensors. Whoever knows the id of an upload may read it."""
    items, following = services.uploads.page(services.visitors.of(request), limit, after)
    return page_of(request, items, following)


@router.get("/{upload_id}")
def read_upload(request: Request, upload_id: str, services: Use) -> Response:
    """An upload, and name, dtype and shape of every tensor in it."""
    return Json(found(services.uploads.describe(upload_id, services.visitors.of(request)), "upload"))


@router.get("/{upload_id}/tensors/{tensor:path}", responses=RESPONSES)
async def read_uploaded(
    request: Request, upload_id: str, tensor: str, services: Use,
    format: Format = None,  # noqa: A002 - the name in the address
) -> Response:  # fmt: skip
    """The numbers of a tensor, with their statistics (JSON), or bare: little-endian, C order, shape and type in headers (raw)."""
    upload = found(await run_in_threadpool(services.uploads.get, upload_id), "upload")
    array = await while_connected(request, services.quick.run(tensor_of, upload.data, tensor, seconds=limits.QUICK_SECONDS))
    if array is None:
        raise ProblemError(404, "the upload has no such tensor; GET /api/v1/uploads/{id} names those it has")

    def about() -> Mapping[str, Any]:
        numbers = base64.b64encode(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()).decode("ascii")
        shown = {"dtype": array.dtype.str[1:], "shape": list(array.shape), "bdata": numbers}
        return {"upload": upload_id, "name": tensor, **shown, "statistics": _statistics(array)}

    return await run_in_threadpool(send_tensor, request, array, format, array.dtype.str[1:], "tensor", about)


@router.delete("/{upload_id}", status_code=204)
def remove(request: Request, upload_id: str, services: Use) -> Response:
    """Delete an upload of one's own. Traces that were made from it hold its numbers themselves."""
    if not services.uploads.delete(upload_id, services.visitors.of(request)):
        raise missing("upload")
    return Response(status_code=204)


def _statistics(array: Array) -> dict[str, Any]:
    """Over the finite elements, as of a trace's tensors."""
    values = array.astype(np.float64)
    finite = values[np.isfinite(values)]
    with np.errstate(over="ignore"):
        numbers = [finite.min(), finite.max(), finite.mean(), np.sqrt((finite * finite).sum())] if finite.size else [np.nan] * 4
    return {**dict(zip(("min", "max", "mean", "norm"), map(float, numbers), strict=True)), "nonfinite": values.size - finite.size}
