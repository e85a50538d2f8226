"""How fast a whole run goes: as the server does it, as the bare loop of the engine, and written in PyTorch."""

from __future__ import annotations

import gc
import importlib.util
import time
from collections.abc import Callable
from timeit import Timer
from typing import Any

import numpy as np
import orjson

from benchmarks.report import Goal, Section, Table
from benchmarks.timing import Plan, interleaved
from engine.training import Settings
from engine.training.checkpoint import restore
from engine.training.loop import BatchOrder, train_step
from server.jobs.kept import KeptTrainings
from server.jobs.stopping import usual_interval
from server.store.blobs import pack
from server.tasks import load

STEPS, SLICE = 2000, 0.25
RUNS = {"(8, 20, 32)": ("sunspots", None, 8), "(32, 12, 32)": ("adding", 12, 32)}  # (batch, time, hidden): task, its length, batch
TEXT = f"""\
{STEPS:,} steps of an LSTM in float32 with AdamW and clipping, from the first; steps a second of processor time, median of interleaved
rounds. *A full run* is what is computed of one in the server: slices of at most {SLICE * 1e3:g} ms from checkpoint to checkpoint, each
batch taken from the data, observations, a validation as often as usual, and all of it packed for the database and written as JSON for
those who listen. *The bare loop* is forward, loss, backward, clipping and update on
batches that were made before. *PyTorch* is the same training, `nn.LSTM` and its own optimizer, each batch taken from the data, with nothing
kept and nobody told. Runs are (batch, time steps, hidden units): windows of the sunspots, and the adding problem."""


def measure(rounds: int) -> Section:
    """Both runs, three ways."""
    rows, goals, notes = [], [], []
    for shape, (name, length, batch) in RUNS.items():
        settings = Settings(cell="lstm", hidden_size=32, batch_size=batch, dtype="float32")
        task = load(name) if length is None else load(name, length)
        contenders: dict[str, Callable[[], Any]] = {"full": lambda t=task, s=settings: full(t, s), "bare": bare(task, settings)}
        if importlib.util.find_spec("torch") is not None:
            contenders["torch"] = in_torch(task, settings)
        else:
            notes.append("PyTorch: not installed (torch)")
        found = interleaved({key: _processor(run) for key, run in contenders.items()}, Plan(rounds=rounds, budget=600, limit=600))
        per_second = {key: STEPS / timing.median for key, timing in found.items()}
        rows.append([shape, *(f"{per_second[key]:,.0f}" if key in per_second else "-" for key in ("full", "bare", "torch"))])
        goals.append(Goal(f"{shape}: a full run / the bare loop", per_second["full"] / per_second["bare"], 0.8, least=True))
        if "torch" in per_second:
            goals.append(Goal(f"{shape}: a full run / PyTorch", per_second["full"] / per_second["torch"], 1.0, least=True))
    return Section("A whole run", TEXT, [Table(("steps a second", "a full run", "the bare loop", "PyTorch"), rows)], goals, notes)


def _processor(run: Callable[[], Any]) -> Timer:
    """A contender by processor time: one thread each, whatever else the machine does."""
    return Timer(run, "gc.enable()", timer=time.process_time, globals={"gc": gc})


def full(task: Any, settings: Settings) -> int:
    """A run as the server does it; gives the bytes that it would store and send."""
    kept, every = KeptTrainings(), usual_interval(task.size("train"), settings.batch_size)
    checkpoint, done, size = None, 0, 0
    while done < STEPS:
        training = kept.take(task, settings, checkpoint)
        made = training.go_on(min(STEPS - done, every - done % every), SLICE)
        checkpoint, first, done = made.checkpoint, done + 1, made.step
        figures = np.array([made.losses, made.gradient_norms, made.learning_rates])
        progress = {"step": done, "first": first, "losses": made.losses, "gradient_norms": made.gradient_norms,
                    "learning_rates": made.learning_rates}  # fmt: skip
        seen = [orjson.dumps(one) for one in made.observations]
        told = [orjson.dumps(progress), *seen, *([orjson.dumps(training.evaluate("validation"))] if done % every == 0 else [])]
        stored = [pack(checkpoint, compressed=False), pack(figures.tobytes()), *map(pack, seen)]
        kept.keep(training)
        size += sum(map(len, told)) + sum(len(blob["data"]) for blob in stored)
    return size


def bare(task: Any, settings: Settings) -> Callable[[], None]:
    """The engine's own loop over batches that are there."""
    order = BatchOrder(task.size("train"), settings.batch_size, settings.seed)
    batches = [task.batch("train", order.indices(step)).by_falling_length() for step in range(1, STEPS + 1)]

    def run() -> None:
        state = restore(task, settings, None)
        for batch in batches:
            train_step(state, settings, batch)

    return run


def in_torch(task: Any, settings: Settings) -> Callable[[], None]:
    """The same run in PyTorch: same data, order, optimizer and clipping; sequences of one length."""
    import torch

    torch.set_num_threads(1)
    whole = task.batch("train", np.arange(task.size("train")))
    inputs, targets = (torch.tensor(array, dtype=torch.float32) for array in (whole.inputs, whole.targets))
    order = BatchOrder(task.size("train"), settings.batch_size, settings.seed)

    def run() -> None:
        rnn = torch.nn.LSTM(task.input_size, settings.hidden_size, batch_first=True)
        head = torch.nn.Linear(settings.hidden_size, task.output_size)
        params = [*rnn.parameters(), *head.parameters()]
        optimizer, losses = torch.optim.AdamW(params, lr=settings.optimizer["lr"], weight_decay=settings.optimizer["weight_decay"]), []
        for step in range(1, STEPS + 1):
            chosen = torch.from_numpy(order.indices(step))
            output, (h, _) = rnn(inputs[chosen])
            loss = torch.nn.functional.mse_loss(head(output if task.readout == "every" else h[0]), targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(params, settings.clip_norm)
            optimizer.step()
            losses.append(loss.item())

    return run
