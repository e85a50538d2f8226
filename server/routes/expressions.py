"""Expressions while they are typed: checked, and nothing is stored."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from server import limits
from server.encoding import Json
from server.jobs.work import check_program
from server.problems import part
from server.programs.errors import ProgramError
from server.routes.disconnect import while_connected
from server.schemas.expression_check import ExpressionCheckRequest
from server.services import Use

router = APIRouter(prefix="/expressions", tags=["traces"])


@router.post("/check")
async def check_expression(request: Request, body: ExpressionCheckRequest, services: Use) -> Response:
    """What is wrong with an expression. It is computed and differentiated as for a trace, which is thrown away."""
    work = services.quick.run(check_program, body.program.model_dump(), services.settings.compute_seconds, seconds=limits.QUICK_SECONDS)
    try:
        shape = await while_connected(request, work)
    except ProgramError as error:
        return Json({"errors": [part(error.pointer, error.detail, error.line, error.column)], "shape": None})
    return Json({"errors": [], "shape": shape})
