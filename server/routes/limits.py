"""What the server takes and gives."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from server import limits
from server.encoding import Json
from server.services import Use
from server.settings import Settings

router = APIRouter(prefix="/limits", tags=["reference"])


def published(settings: Settings) -> dict[str, float]:
    """Every limit by its name, in the unit that the name ends with, or as a count."""
    return {
        "body_bytes": settings.body_bytes, "upload_bytes": settings.upload_bytes, "json_depth": limits.JSON_DEPTH,
        "response_bytes": settings.response_bytes, "compute_seconds": settings.compute_seconds,
        "expression_characters": limits.EXPRESSION_CHARACTERS, "expression_nodes": limits.EXPRESSION_NODES,
        "expression_elements": limits.EXPRESSION_ELEMENTS, "inputs": limits.INPUTS, "input_elements": limits.INPUT_ELEMENTS,
        "dimensions": limits.INPUT_DIMENSIONS, "graph_nodes": settings.graph_nodes, "trace_elements": settings.trace_elements,
        "hidden_size": limits.HIDDEN_SIZE, "layers": limits.LAYERS, "parameters": limits.PARAMETERS, "batch_size": limits.BATCH_SIZE,
        "trace_step": limits.TRACE_STEP,
        "sequences": limits.SEQUENCES, "sequence_steps": limits.SEQUENCE_STEPS, "sequence_features": limits.SEQUENCE_FEATURES,
        "graph_value_elements": limits.GRAPH_VALUE_ELEMENTS, "edits": limits.EDITS, "edit_depth": limits.EDIT_DEPTH,
        "steps_per_request": limits.STEPS_PER_REQUEST, "run_steps": limits.RUN_STEPS, "run_edits": limits.RUN_EDITS,
        "page_items": limits.PAGE, "streams": settings.streams, "visitor_streams": settings.visitor_streams,
        "mistakes": limits.MISTAKES, "export_steps": limits.EXPORT_STEPS, "landscape_runs": limits.LANDSCAPE_RUNS,
        "landscape_resolution": limits.LANDSCAPE_RESOLUTION, "landscape_examples": limits.LANDSCAPE_EXAMPLES,
        "link_bytes": limits.LINK_BYTES,
        "sweep_trials": limits.SWEEP_TRIALS, "sweep_dimensions": limits.SWEEP_DIMENSIONS, "sweep_choices": limits.SWEEP_CHOICES,
        "sweep_seconds": limits.SWEEP_SECONDS, "sweeps_at_once": limits.SWEEPS_AT_ONCE, "visitor_sweeps": limits.VISITOR_SWEEPS,
        "visitor_runs": settings.visitor_runs, "writes_per_second": settings.writes_per_second,
        "upload_elements": limits.UPLOAD_ELEMENTS, "upload_tensors": limits.UPLOAD_TENSORS,
        "upload_unpacked_bytes": limits.UPLOAD_UNPACKED_BYTES, "upload_header_bytes": limits.UPLOAD_HEADER_BYTES,
        "sequence_elements": limits.SEQUENCE_ELEMENTS, "program_uploads": limits.PROGRAM_UPLOADS,
        "visitor_datasets": settings.visitor_datasets, "dataset_seconds": settings.dataset_seconds,
        "visitor_uploads": settings.visitor_uploads, "visitor_pins": settings.visitor_pins,
    }  # fmt: skip


@router.get("")
def index(services: Use) -> Response:
    """The limits in force. An error that one of them causes names it by its value (`limit`), beside what was given (`actual`)."""
    return Json(published(services.settings))
