"""The training loop over a task: stateless slices from checkpoint to checkpoint, and any step replayed as a trace."""

from engine.training.loop import Slice, evaluate, train
from engine.training.settings import Settings
from engine.training.task import Batch, Kind, Part, Readout, Task
from engine.training.trace_step import trace_step

__all__ = ["Batch", "Kind", "Part", "Readout", "Settings", "Slice", "Task", "evaluate", "trace_step", "train"]
