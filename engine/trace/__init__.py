"""The trace: the record of a computation as one document (docs/trace-format.md), written, named, read, replayed and explained."""

from pathlib import Path

from engine.trace.bptt import itemise
from engine.trace.diff import diff
from engine.trace.document import Contribution, Document
from engine.trace.edits import Change, Edit, EditError, KeepGradients, Mute, MuteStep
from engine.trace.explain import explain
from engine.trace.finite_differences import check
from engine.trace.identity import content_id
from engine.trace.part import part_of
from engine.trace.recorder import record
from engine.trace.serial import from_bytes, to_bytes
from engine.trace.what_if import what_if

SCHEMA_PATH = Path(__file__).with_name("trace-1.schema.json")

__all__ = [
    "SCHEMA_PATH",
    "Change",
    "Contribution",
    "Document",
    "Edit",
    "EditError",
    "KeepGradients",
    "Mute",
    "MuteStep",
    "check",
    "content_id",
    "diff",
    "explain",
    "from_bytes",
    "itemise",
    "part_of",
    "record",
    "to_bytes",
    "what_if",
]
