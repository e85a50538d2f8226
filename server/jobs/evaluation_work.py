"""Evaluations, made by workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.training import Part
from server.programs.network import settings_of

if TYPE_CHECKING:
    from server.evaluation.part import Evaluation


def evaluate_run(program: Mapping[str, Any], checkpoint: bytes | None, part: Part) -> Evaluation:
    """Figures and mistakes of a run's network on a part."""
    from server.evaluation.part import evaluate_part  # scikit-learn takes a second to be read, and only here

    task, settings = settings_of(program)
    with np.errstate(all="ignore"):  # a training that diverged is shown as it is
        return evaluate_part(task, settings, checkpoint, part)
