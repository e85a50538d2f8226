"""What machines ask: whether the process lives, whether it can work, and what there is to count."""

from __future__ import annotations

from fastapi import APIRouter, Request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from server.encoding import Json
from server.metrics import CONTENT_TYPE
from server.problems import ProblemError
from server.services import Use

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers. It asks nothing of others, so that nothing of theirs restarts it."""
    return Json({"status": "ok"})


@router.get("/readyz")
def readyz(services: Use) -> Response:
    """Requests can be served: the database answers, and the workers take work."""
    try:
        with services.runs.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        raise ProblemError(503, "the database does not answer; the server's log and `retrograd doctor` say more") from None
    if services.pool.waiting >= services.pool.queue:
        raise ProblemError(503, "as much work waits for the workers as may", headers={"Retry-After": "5"})
    return Json({"status": "ready"})


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Counters and gauges in Prometheus' text format."""
    return Response(request.app.state.metrics.text(), media_type=CONTENT_TYPE)
