"""A run as files: weights, settings, history, and all of it with a script that trains it again."""

from __future__ import annotations

import csv
import io
import json
import platform
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from engine import Tensor, nn
from engine.training import Settings, Task
from engine.training.checkpoint import restore
from server.encoding import dumps
from server.export import run_script

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the time that a zip's members bear: none
README = """A run of Retrograd.

model.safetensors  the weights after the step that settings.json names, with PyTorch's names
settings.json      what the run was made with
history.csv        a row a step
train.py           the same training in PyTorch, from the start to the last step: python train.py (needs torch and numpy)
data.npz           what train.py reads: initial weights, examples, batches, losses, dropout masks of the steps that it compares
"""


@dataclass(frozen=True)
class RunFile:
    """A format of a run: media type and ending of its file, and what docs/api.md says of it."""

    media_type: str
    suffix: str
    about: str


RUN_FORMATS: Mapping[str, RunFile] = {
    "safetensors": RunFile("application/x-safetensors", "safetensors", "the weights after a step, with PyTorch's names"),
    "json": RunFile("application/json", "json", "the settings, and what came of them"),
    "csv": RunFile("text/csv", "csv", "a row a step (RFC 4180)"),
    "zip": RunFile("application/zip", "zip", "all of them, with a PyTorch script that trains the network again and its data"),
}


def weights(task: Task, settings: Settings, checkpoint: bytes | None) -> bytes:
    """The network in a checkpoint as safetensors."""
    return nn.to_safetensors(restore(task, settings, checkpoint).model)


def settings_json(run: Mapping[str, Any], step: int) -> bytes:
    """What a run was made with and what came of it. step: that of the weights beside it."""
    kept = ("id", "name", "created", "program", "edits", "stop", "validate_every", "seconds", "reason", "best", "validation", "tested")
    about = {"schema": "retrograd.run/1", **{name: run[name] for name in kept if name in run}, "steps": run["step"], "step": step}
    versions = {"retrograd": version("retrograd"), "python": platform.python_version(), "numpy": np.__version__}
    return json.dumps(json.loads(dumps({**about, "versions": versions})), indent=1, ensure_ascii=False).encode() + b"\n"


def history_csv(settings: Settings, history: Mapping[str, Sequence[float]], validation: Sequence[Mapping[str, Any]]) -> bytes:
    """A row a step: loss, the gradient's norm before clipping, the learning rate; and the validation's figures, where there was one.

    Numbers are written in as many digits as give them back exactly; NaN and infinities as Python writes them.
    """
    names = [
        name for name in ("loss", "accuracy", "recalled", "perplexity", "rmse") if any(entry.get(name) is not None for entry in validation)
    ]
    found = {entry["step"]: entry for entry in validation}
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["step", "loss", "gradient_norm", "learning_rate", *(f"validation_{name}" for name in names)])
    rows = zip(history["loss"], history["gradient_norm"], learning_rates(settings, len(history["loss"])), strict=True)
    for step, row in enumerate(rows, 1):
        entry = found.get(step, {})
        figures = [entry.get(name) for name in names]
        writer.writerow([step, *map(_number, row), *("" if figure is None else _number(figure) for figure in figures)])
    return out.getvalue().encode()


def learning_rates(settings: Settings, steps: int) -> list[float]:
    """The rate of each of the first steps: a pure function of the step."""
    rates = settings.make_rates(settings.make_optimizer([Tensor(0.0, requires_grad=True)]))
    return [rates.set(step) for step in range(1, steps + 1)]


def archive(
    task: Task, settings: Settings, checkpoint: bytes | None, run: Mapping[str, Any], history: Mapping[str, Sequence[float]], step: int
) -> bytes:
    """All files of a run as one zip, the same bytes whenever it is made of the same run."""
    losses = [float(loss) for loss in history["loss"]]
    members = {
        "README.txt": README.encode(), "model.safetensors": weights(task, settings, checkpoint),
        "settings.json": settings_json(run, step), "history.csv": history_csv(settings, history, run["validation"]),
        "train.py": run_script.script(task, settings).encode(), "data.npz": run_script.data(task, settings, losses),
    }  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archived:
        for name, content in members.items():
            about = zipfile.ZipInfo(name, _EPOCH)
            about.external_attr = 0o644 << 16
            archived.writestr(about, content, zipfile.ZIP_STORED if name == "data.npz" else zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _number(value: float | str) -> str:
    return repr(float(value))
