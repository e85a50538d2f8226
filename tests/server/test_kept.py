"""What a worker keeps from slice to slice changes no number."""

from __future__ import annotations

from typing import Any

import pytest

from engine.training import Settings, Slice, Training, evaluate, train
from server.jobs import work
from server.jobs.kept import KeptTrainings
from server.programs.network import normalised, settings_of
from server.tasks import load

PROGRAM = {"task": "sunspots", "cell": "gru", "hidden_size": 3, "batch_size": 4, "dropout": 0.3, "layers": 2}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[bytes | None]:
    """A worker without anything kept; the checkpoints of the trainings that it makes."""
    checkpoints: list[bytes | None] = []

    def make(task: Any, settings: Settings, checkpoint: bytes | None) -> Training:
        checkpoints.append(checkpoint)
        return Training(task, settings, checkpoint)

    monkeypatch.setattr("server.jobs.kept.Training", make)
    monkeypatch.setattr(work, "_trainings", KeptTrainings())
    return checkpoints


def joined(slices: list[Slice]) -> tuple[list[float], list[Any], bytes]:
    losses = [loss for one in slices for loss in one.losses]
    return losses, [seen for one in slices for seen in one.observations], slices[-1].checkpoint


def test_going_on_with_what_is_kept_is_going_on_from_the_checkpoint(made: list[bytes | None]) -> None:
    program = normalised(PROGRAM)
    task, settings = settings_of(program)
    slices = [work.train_slice(program, None, 3, None)]
    for _ in range(2):
        with work.at_hand(program, slices[-1].checkpoint) as (_, training):
            figures = training.evaluate("validation")
        assert figures == evaluate(task, settings, slices[-1].checkpoint, "validation")
        slices.append(work.train_slice(program, slices[-1].checkpoint, 3, None))
    assert made == [None]
    whole = train(task, settings, None, 9)
    assert joined(slices) == (whole.losses, whole.observations, whole.checkpoint)


def test_what_is_kept_is_of_the_very_checkpoint_and_settings(made: list[bytes | None]) -> None:
    program = normalised(PROGRAM)
    first = work.train_slice(program, None, 3, None)
    work.train_slice(program, first.checkpoint, 2, None)  # goes on with what is kept, whose slice is not stored, say
    edited = {**program, "edits": [{"step": 4, "lr": 0.5}]}
    again = work.train_slice(program, first.checkpoint, 2, None)
    other = work.train_slice(edited, first.checkpoint, 2, None)
    assert made == [None, first.checkpoint, first.checkpoint]
    for given, done in ((program, again), (edited, other)):
        assert done == train(*settings_of(given), first.checkpoint, 2)
    work.train_slice(edited, again.checkpoint, 1, None)  # it is kept, under other settings
    assert made[3:] == [again.checkpoint]


def test_the_oldest_go_and_so_do_large_ones(made: list[bytes | None]) -> None:
    task, settings = load("sunspots"), Settings(cell="rnn", hidden_size=2)
    trainings = [Training(task, settings, train(task, settings, None, steps).checkpoint) for steps in (1, 2, 3)]
    size = len(trainings[0].checkpoint or b"")
    for kept, left in ((KeptTrainings(most=2), 2), (KeptTrainings(most_bytes=size + 10), 1), (KeptTrainings(most_bytes=size - 10), 0)):
        for training in trainings:
            kept.keep(training)
        assert len(kept) == left
        taken = [kept.take(task, settings, training.checkpoint) for training in trainings]
        assert [one is training for one, training in zip(taken, trainings, strict=True)] == [n >= 3 - left for n in range(3)]
        assert len(kept) == 0
