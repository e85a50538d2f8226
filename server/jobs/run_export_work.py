"""Runs as files, written by workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from server.export.run_files import archive, history_csv, settings_json, weights
from server.programs.network import settings_of

RunFormat = Literal["safetensors", "json", "csv", "zip"]


def write_run(
    program: Mapping[str, Any], checkpoint: bytes | None, run: Mapping[str, Any], history: Mapping[str, Sequence[float]], step: int,
    form: RunFormat,
) -> bytes:  # fmt: skip
    """A run in a format. program: with the edits of the run; checkpoint: of step `step`; run: as the API has it."""
    task, settings = settings_of(program)
    with np.errstate(all="ignore"):
        match form:
            case "safetensors":
                return weights(task, settings, checkpoint)
            case "json":
                return settings_json(run, step)
            case "csv":
                return history_csv(settings, history, run["validation"])
            case "zip":
                return archive(task, settings, checkpoint, run, history, step)
