"""Pins: a pinned trace does not make room for others."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.encoding import Json
from server.routes.found import found, missing
from server.services import Use
from server.store.pins import Pin

router = APIRouter()


@router.get("/{trace_id}/pin")
def read_pin(request: Request, trace_id: str, services: Use) -> Response:
    """Whether a trace is pinned, by anybody and by the visitor."""
    return _answer(trace_id, found(services.pins.get(trace_id, services.visitors.of(request)), "trace"))


@router.put("/{trace_id}/pin")
def pin(request: Request, trace_id: str, services: Use) -> Response:
    """Pin a trace; it needs no body. GET /limits says how many one visitor may (`visitor_pins`)."""
    return _answer(trace_id, found(services.pins.put(trace_id, services.visitors.of(request)), "trace"))


@router.delete("/{trace_id}/pin", status_code=204)
def unpin(request: Request, trace_id: str, services: Use) -> Response:
    """Take the visitor's own pin away, where there is one."""
    if not services.pins.delete(trace_id, services.visitors.of(request)):
        raise missing("trace")
    return Response(status_code=204)


def _answer(trace_id: str, state: Pin) -> Response:
    return Json({"trace": trace_id, **state._asdict()}, headers={"Cache-Control": "no-cache"})
