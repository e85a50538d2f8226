"""Which examples a step of a training takes, and whether a trace of them, or of one alone, would be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine.training.loop import BatchOrder
from server.programs.cost import TraceCost, trace_cost
from server.programs.network import settings_of


def batch_of_step(program: Mapping[str, Any], step: int, most: TraceCost) -> dict[str, Any]:
    """The examples of step `step` (from 1) of a run's program, longest first, as its trace has them.

    whole: about what the trace of all of them would hold, and whether it fits: within `most`. Of each example likewise whether its own
    trace fits. Nothing is trained for that. Raises ProgramError and LimitError as `settings_of` does.
    """
    task, settings = settings_of(program)
    indices = BatchOrder(task.size("train"), settings.batch_size, settings.seed).indices(step)
    whole = trace_cost(task, settings, None)
    described = task.describe(task.batch("train", indices).by_falling_length(), "train")["examples"]
    return {
        "whole": {**asdict(whole), "fits": whole.within(most)},
        "examples": [
            {
                "index": one["index"],
                "length": one["length"],
                "text": one["text"],
                "fits": trace_cost(task, settings, one["index"]).within(most),
            }
            for one in described
        ],
    }
