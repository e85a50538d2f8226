"""How fast a whole run goes: computed as the server does it, over HTTP, as the bare loop of the engine, and written in PyTorch."""

from __future__ import annotations

import gc
import importlib.util
import time
from collections.abc import Callable
from timeit import Timer
from typing import Any

import numpy as np
import orjson

from benchmarks.report import Goal, Progress, Section, Table
from benchmarks.served_run import whole
from benchmarks.service import retrograd
from benchmarks.timing import Plan, call, interleaved
from engine.training import Settings
from engine.training.checkpoint import restore
from engine.training.loop import BatchOrder, train_step
from server.jobs.kept import KeptTrainings
from server.jobs.stopping import usual_interval
from server.store.blobs import pack
from server.tasks import load

SLICE = 0.25  # seconds
RUNS = {"(8, 20, 32)": ("sunspots", None, 8), "(32, 12, 32)": ("adding", 12, 32)}  # (batch, time, hidden): task, its length, batch
TEXT = """\
{steps:,} steps of an LSTM with AdamW and clipping, from the first; steps a second, median of interleaved rounds. Runs are (batch, time
steps, hidden units): windows of the sunspots, and the adding problem. *The bare loop* is forward, loss, backward, clipping and update on
batches that were made before. *PyTorch* is the same training in float32, `nn.LSTM` and its own optimizer, each batch taken from the data,
with nothing kept and nobody told.

*A full run* is what is computed of one in the server, in this process, by processor time, in float32: slices of at most {slice:g} ms from
checkpoint to checkpoint, each batch taken from the data, observations, a validation as often as usual, and all of it packed for the
database and written as JSON for those who listen. *Over HTTP* is the product: a server with its usual settings, by the clock, from
`POST /runs` until a listener has heard of the last step: worker processes, SQLite, the event stream and the listener included, in
float64, which all runs of the product are; beside it the bare loop in float64 and PyTorch in float32, by the same clock."""


def measure(rounds: int, steps: int, progress: Progress) -> Section:
    """Both runs: computed here by processor time, and over HTTP by the clock."""
    goals: list[Goal] = []
    computed, served = [], []
    torch = importlib.util.find_spec("torch") is not None
    for shape, (name, length, batch) in RUNS.items():
        single, double = (Settings(cell="lstm", hidden_size=32, batch_size=batch, dtype=dtype) for dtype in ("float32", "float64"))
        task = load(name) if length is None else load(name, length)
        others = {"torch": in_torch(task, single, steps)} if torch else {}
        progress(f"{shape}, in this process")
        contenders = {"full": lambda t=task, s=single: full(t, s, steps), "bare": bare(task, single, steps), **others}
        found = _steps_a_second({key: _processor(run) for key, run in contenders.items()}, steps, rounds)
        computed.append(_row(shape, found))
        goals += _goals(f"{shape}: a full run", found)
        progress(f"{shape}, over HTTP")
        program = {"task": name, "cell": "lstm", "hidden_size": 32, "batch_size": batch, **({} if length is None else {"length": length})}
        with retrograd() as (port, _):
            contenders = {"full": lambda p=port, about=program: whole(p, about, steps), "bare": bare(task, double, steps), **others}
            found = _steps_a_second({key: call(run) for key, run in contenders.items()}, steps, rounds)
        served.append(_row(shape, found))
        goals += _goals(f"{shape}: a full run over HTTP", found)
    tables = [Table(("steps a second of processor time", "a full run", "the bare loop", "PyTorch"), computed),
              Table(("steps a second by the clock", "over HTTP", "the bare loop", "PyTorch"), served)]  # fmt: skip
    notes = [] if torch else ["PyTorch: not installed (torch)"]
    return Section("A whole run", TEXT.format(steps=steps, slice=SLICE * 1e3), tables, goals, notes)


def _steps_a_second(contenders: dict[str, Timer], steps: int, rounds: int) -> dict[str, float]:
    found = interleaved(contenders, Plan(rounds=rounds, budget=600, limit=600))
    return {key: steps / timing.median for key, timing in found.items()}


def _row(shape: str, found: dict[str, float]) -> list[str]:
    return [shape, *(f"{found[key]:,.0f}" if key in found else "-" for key in ("full", "bare", "torch"))]


def _goals(what: str, found: dict[str, float]) -> list[Goal]:
    goals = [Goal(f"{what} / the bare loop", found["full"] / found["bare"], 0.8, least=True)]
    return [*goals, *([Goal(f"{what} / PyTorch", found["full"] / found["torch"], 1.0, least=True)] if "torch" in found else [])]


def _processor(run: Callable[[], Any]) -> Timer:
    """A contender by processor time: one thread each, whatever else the machine does."""
    return Timer(run, "gc.enable()", timer=time.process_time, globals={"gc": gc})


def full(task: Any, settings: Settings, steps: int) -> int:
    """A run as the server does it; gives the bytes that it would store and send."""
    kept, every = KeptTrainings(), usual_interval(task.size("train"), settings.batch_size)
    checkpoint, done, size = None, 0, 0
    while done < steps:
        training = kept.take(task, settings, checkpoint)
        made = training.go_on(min(steps - done, every - done % every), SLICE)
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


def bare(task: Any, settings: Settings, steps: int) -> Callable[[], None]:
    """The engine's own loop over batches that are there."""
    order = BatchOrder(task.size("train"), settings.batch_size, settings.seed)
    batches = [task.batch("train", order.indices(step)).by_falling_length() for step in range(1, steps + 1)]

    def run() -> None:
        state = restore(task, settings, None)
        for batch in batches:
            train_step(state, settings, batch)

    return run


def in_torch(task: Any, settings: Settings, steps: int) -> Callable[[], None]:
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
        for step in range(1, steps + 1):
            chosen = torch.from_numpy(order.indices(step))
            output, (h, _) = rnn(inputs[chosen])
            loss = torch.nn.functional.mse_loss(head(output if task.readout == "every" else h[0]), targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(params, settings.clip_norm)
            optimizer.step()
            losses.append(loss.item())

    return run
