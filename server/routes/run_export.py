"""Runs as files for other programs."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from engine.told import Told
from server import limits
from server.export.run_files import RUN_FORMATS
from server.jobs.run_export_work import RunFormat, write_run
from server.problems import ProblemError
from server.routes.disconnect import while_connected
from server.routes.run_steps import AtStep, computable, network_after, step_of
from server.routes.trace_response import asked_anew, send_derived
from server.services import Services, Use
from server.store.runs import with_edits

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])
Form = Annotated[RunFormat, Query(description="of the file")]

_FILES = {
    about.media_type: {
        "schema": {"type": "object", "description": about.about}
        if about.suffix == "json"
        else {"type": "string", "contentMediaType": about.media_type, "description": about.about}
    }
    for about in RUN_FORMATS.values()
}


@router.get("/export", response_class=Response, responses={200: {"description": "The file", "content": _FILES}})
async def export(
    request: Request, run_id: str, services: Use, format: Form, step: AtStep = "best",  # noqa: A002 - the name in the address
) -> Response:  # fmt: skip
    """The run as a file: weights, settings, history, or all with a PyTorch script that trains it again. 409 for a script without steps."""
    run = await run_in_threadpool(computable, services, run_id)
    chosen = step_of(run, step)
    if format == "zip" and run["step"] == 0:
        words = "the run has done no step that a script could repeat; train it first: POST /api/v1/runs/{id}/steps"
        raise ProblemError(409, Told(words, "export-untrained"))
    content = await while_connected(request, _written(services, run, chosen, format))
    about = RUN_FORMATS[format]
    program = run["program"]
    parts = ["retrograd", program["task"], program["cell"], f"step-{chosen}", run_id]
    name = "-".join(re.sub(r"[^A-Za-z0-9-]+", "-", part).strip("-")[:40] for part in parts)
    headers = {"Cache-Control": asked_anew(program), "Content-Disposition": f'attachment; filename="{name}.{about.suffix}"'}
    return await run_in_threadpool(send_derived, request, content, about.media_type, headers)


async def _written(services: Services, run: dict[str, Any], step: int, form: RunFormat) -> bytes:
    history = await run_in_threadpool(services.runs.history, run["id"])
    history = {name: values[: run["step"]] for name, values in history.items()}  # another slice may have been stored meanwhile
    weighty = form in ("safetensors", "zip")
    checkpoint = await network_after(services, run, step) if weighty else None
    arguments = (with_edits(run, run["step"]), checkpoint, run, history, step, form)
    return await services.pool.run(write_run, *arguments, seconds=limits.SLICE_SECONDS)
