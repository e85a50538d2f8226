"""Data of one's own: sent, described, chosen of, kept, deleted. Nobody but their visitor sees them."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from server import limits
from server.datasets.reading import DatasetError
from server.encoding import Json
from server.idempotency import marking
from server.jobs.dataset_work import describe_choice, describe_dataset
from server.problems import ProblemError
from server.routes.disconnect import while_connected
from server.routes.found import found, missing
from server.routes.paging import After, Limit, page_of
from server.schemas.datasets import ChoiceRequest, DatasetChange, DatasetText
from server.services import Use

router = APIRouter(prefix="/datasets", tags=["datasets"])
_BODY = {"requestBody": {"required": True, "content": {
    # text/csv is taken too, which generators of clients cannot read
    "application/json": {"schema": DatasetText.model_json_schema()}}}}  # fmt: skip


@router.post("", status_code=201, openapi_extra=_BODY)
async def create(request: Request, services: Use) -> Response:
    """Bring data: a file of rows and columns as it is (text/csv), or its text as JSON. What was read of it is answered, and what was not.

    It goes with the last run that uses it, or after an hour without one, unless it is kept.
    """
    data = await request.body()
    if request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json":
        try:
            data = DatasetText.model_validate(json.loads(data)).text.encode()
        except ValidationError as error:
            raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
    work = services.quick.run(describe_dataset, data, seconds=limits.QUICK_SECONDS)
    try:
        about = await while_connected(request, work)
    except DatasetError as error:
        raise ProblemError(422, str(error)) from None
    visitor = services.visitors.of(request)
    done = marking(request, 201, "read_dataset", "dataset_id")
    made = await run_in_threadpool(services.datasets.put, visitor, data, about, done)
    described = found(await run_in_threadpool(services.datasets.describe, made, visitor), "dataset")
    return Json(described, 201, {"Location": request.url_for("read_dataset", dataset_id=made).path})


@router.get("")
def index(request: Request, services: Use, limit: Limit = 50, after: After = None) -> Response:
    """The visitor's own data sets, newest first, without their rows."""
    items, following = services.datasets.page(services.visitors.of(request), limit, after)
    return page_of(request, items, following)


@router.get("/{dataset_id}")
def read_dataset(request: Request, dataset_id: str, services: Use) -> Response:
    """A data set of one's own: its columns, its first rows, and what is wrong with which."""
    return Json(found(services.datasets.describe(dataset_id, services.visitors.of(request)), "dataset"))


@router.post("/{dataset_id}/task")
async def choose(request: Request, dataset_id: str, body: ChoiceRequest, services: Use) -> Response:
    """What a network would learn of such a choice; nothing is stored."""
    visitor = services.visitors.of(request)
    data = found(await run_in_threadpool(services.datasets.data_for, visitor, dataset_id), "dataset")
    choice = {**body.dataset.model_dump(), "id": dataset_id}
    work = services.quick.run(describe_choice, choice, data, seconds=limits.QUICK_SECONDS)
    try:
        return Json(await while_connected(request, work))
    except DatasetError as error:
        raise ProblemError(422, str(error)) from None


@router.patch("/{dataset_id}")
def change(request: Request, dataset_id: str, body: DatasetChange, services: Use) -> Response:
    """Keep a data set of one's own although no run uses it, or let it go in its time."""
    visitor = services.visitors.of(request)
    if not services.datasets.keep(dataset_id, visitor, body.kept):
        raise missing("dataset")
    return Json(found(services.datasets.describe(dataset_id, visitor), "dataset"))


@router.delete("/{dataset_id}", status_code=204)
def remove(request: Request, dataset_id: str, services: Use) -> Response:
    """Delete a data set of one's own, and the traces that hold examples of it."""
    if not services.datasets.delete(dataset_id, services.visitors.of(request)):
        raise missing("dataset")
    return Response(status_code=204)
