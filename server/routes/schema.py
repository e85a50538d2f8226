"""The JSON Schema of traces."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from engine.trace import SCHEMA_PATH

router = APIRouter(prefix="/schema", tags=["reference"])


@router.get("/trace-1.json")
def trace_schema() -> Response:
    """The schema that every trace of version 1 fulfils."""
    return Response(SCHEMA_PATH.read_bytes(), media_type="application/schema+json")
