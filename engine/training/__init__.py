"""The training loop over a task: stateless slices from checkpoint to checkpoint, and any step replayed as a trace."""

from engine.training.loop import Predictions, Slice, Training, evaluate, predictions, train
from engine.training.observation import Observation, observed
from engine.training.settings import Settings
from engine.training.task import Batch, Generate, Kind, Part, Readout, Task
from engine.training.trace_step import trace_step

__all__ = [
    "Batch", "Generate", "Kind", "Observation", "Part", "Predictions", "Readout", "Settings", "Slice", "Task", "Training", "evaluate",
    "observed", "predictions", "trace_step", "train",
]  # fmt: skip
