"""The data sets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from engine.nearest import nearest
from engine.told import Told
from engine.training import Part
from server import limits
from server.encoding import Json
from server.problems import ProblemError
from server.routes.paging import After, Limit, page_of
from server.tasks import NAMES, ArrayTask, all_tasks, describe_task, examples, load

router = APIRouter(prefix="/tasks", tags=["tasks"])
Length = Annotated[int | None, Query(ge=1, le=limits.SEQUENCE_STEPS, description="as in a program, of tasks that may have several")]


@router.get("")
def index() -> Response:
    """Every task."""
    return Json({"items": [describe_task(task) for task in all_tasks()]})


@router.get("/{name}")
def read_task(name: str, length: Length = None) -> Response:
    """A task, of a length where one is chosen: its sizes, lengths and baseline are those of its sequences then."""
    return Json(describe_task(_named(name, length)))


@router.get("/{name}/examples")
def some_examples(
    request: Request, name: str, part: Annotated[Part, Query()] = "train", limit: Limit = 50, after: After = None,
    starts_with: Annotated[str, Query(max_length=100, description="only those whose text begins so")] = "", length: Length = None,
) -> Response:  # fmt: skip
    """Examples of a part, in their order; `after` is the number of the last one seen."""
    task = _named(name, length)
    found = examples(task, part, after, task.size(part) if starts_with else limit + 1)
    matching = [example for example in found if example["text"].startswith(starts_with)]
    items = matching[:limit]
    return page_of(request, items, items[-1]["index"] if len(matching) > limit else None)


def _named(name: str, length: int | None) -> ArrayTask:
    if name not in NAMES:
        raise ProblemError(404, Told(f"there is no such task; {nearest(name, NAMES)}the tasks are {', '.join(NAMES)}", "no-task"))
    try:
        return load(name, length)
    except ValueError as error:
        raise ProblemError(422, str(error)) from None
