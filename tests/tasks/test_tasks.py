"""What every data set must keep to."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from copy import copy
from typing import Any

import numpy as np
import pytest

from engine.training import Settings
from server.tasks import NAMES, PARTS, ArrayTask, all_tasks, describe_task, examples, load
from server.tasks.base import Examples


@pytest.fixture(params=NAMES)
def task(request: pytest.FixtureRequest) -> ArrayTask:
    return load(request.param)


def everything(task: ArrayTask, part: Any) -> Any:
    return task.batch(part, range(task.size(part)))


def test_tasks_are_made_once_and_known_by_name() -> None:
    assert [task.name for task in all_tasks()] == list(NAMES)
    assert NAMES[:3] == ("surnames", "names", "digits")
    assert load("adding") is load("adding")
    with pytest.raises(ValueError, match="there is no task 'weather'; expected one of surnames, names, digits, "):
        load("weather")


@pytest.mark.parametrize("part", PARTS)
def test_a_batch_has_the_shapes_that_the_engine_expects(task: ArrayTask, part: Any) -> None:
    batch = everything(task, part)
    n, time, features = batch.inputs.shape
    assert n == task.size(part) > 0
    assert features == task.input_size
    assert batch.inputs.dtype == np.float64
    assert batch.lengths.dtype == np.int64
    assert batch.lengths.min() >= 1
    assert batch.lengths.max() <= time
    assert np.isfinite(batch.inputs).all()
    if task.kind == "classification":
        assert batch.targets.shape == ((n,) if task.readout == "last" else (n, time))
        assert batch.targets.dtype == np.int64
        assert set(batch.targets.ravel().tolist()) <= set(range(task.output_size))
    else:
        assert batch.targets.shape == ((n, task.output_size) if task.readout == "last" else (n, time, task.output_size))
        assert batch.targets.dtype == np.float64


def test_what_lies_beyond_a_sequence_is_zero(task: ArrayTask) -> None:
    batch = everything(task, "train")
    beyond = np.arange(batch.inputs.shape[1]) >= batch.lengths[:, None]
    assert not batch.inputs[beyond].any()


def test_no_example_stands_in_two_parts(task: ArrayTask) -> None:
    seen = {part: {row.tobytes() for row in everything(task, part).inputs} for part in PARTS}
    assert not seen["train"] & seen["validation"]
    assert not seen["train"] & seen["test"]
    assert not seen["validation"] & seen["test"]


def test_a_batch_follows_the_numbers_given(task: ArrayTask) -> None:
    batch, whole = task.batch("validation", [5, 0, 5]), everything(task, "validation")
    assert batch.indices.tolist() == [5, 0, 5]
    np.testing.assert_array_equal(batch.inputs, whole.inputs[[5, 0, 5]])
    np.testing.assert_array_equal(batch.targets, whole.targets[[5, 0, 5]])


@pytest.mark.parametrize("index", [-1, 10**6])
def test_a_number_outside_a_part_is_named(task: ArrayTask, index: int) -> None:
    last = task.size("test") - 1
    with pytest.raises(IndexError, match=f"{task.name}: example {index} is outside the test part; expected 0 to {last}"):
        task.batch("test", [0, index])


def test_an_unknown_part_is_named(task: ArrayTask) -> None:
    with pytest.raises(ValueError, match="has no part 'holdout'; expected one of train, validation, test"):
        task.size("holdout")  # type: ignore[arg-type]  # the point of the test


def test_nobody_can_change_the_data(task: ArrayTask) -> None:
    with pytest.raises(ValueError, match="read-only"):
        task.parts["train"].inputs[0] = 1
    before = task.batch("train", [0]).inputs
    before[:] = 9  # a batch is a copy
    assert not (task.batch("train", [0]).inputs == 9).all()


def test_a_described_batch_keeps_the_batch_order(task: ArrayTask) -> None:
    batch = task.batch("train", [3, 1, 4]).by_falling_length()
    described = task.describe(batch, "train")
    assert [example["index"] for example in described["examples"]] == batch.indices.tolist()
    assert [example["length"] for example in described["examples"]] == batch.lengths.tolist()
    for example in described["examples"]:
        assert len(example["tokens"]) == example["length"]
        alone = task.describe(task.batch("train", [example["index"]]), "train")["examples"][0]
        assert alone == example
    assert json.loads(json.dumps(described)) == described
    assert described["features"] is not None
    assert len(described["features"]) == task.input_size


def test_a_task_is_described_in_both_languages(task: ArrayTask) -> None:
    about = describe_task(task)
    assert json.loads(json.dumps(about)) == about
    for key in ("title", "question"):
        assert set(about[key]) == {"en", "zh"}
        assert about[key]["en"] != about[key]["zh"]
    assert about["source"]
    assert about["license"]
    assert about["sizes"] == {part: task.size(part) for part in PARTS}
    lengths = [int(n) for part in PARTS for n in everything(task, part).lengths]
    assert about["lengths"] == {"min": min(lengths), "max": max(lengths)}
    assert about["baseline"]["metric"] in about["metrics"]
    if task.kind == "classification":
        assert len(about["classes"]) == len(about["class_titles"]["zh"]) == task.output_size
    else:
        assert about["classes"] is None
        assert about["class_titles"] is None


def test_a_task_says_how_it_is_judged_and_learnt(task: ArrayTask) -> None:
    about = describe_task(task)
    assert about["metrics"][0] == about["baseline"]["metric"]
    suggested = about["suggested"]
    settings = Settings(**task.suggested.settings())
    for field in ("cell", "hidden_size", "batch_size", "bidirectional", "forget_bias", "dropout", "schedule"):
        assert getattr(settings, field) == suggested[field]
    assert (settings.optimizer["name"], settings.optimizer["lr"]) == (suggested["optimizer"], suggested["lr"])
    assert suggested["steps"] > 0


@pytest.mark.parametrize("name", [name for name in NAMES if load(name).length is not None])
def test_a_generated_task_has_the_length_asked_for(name: str) -> None:
    offered = load(name).length
    assert offered is not None
    for length in (offered.min, offered.max):
        task = load(name, length)
        lengths = {int(n) for part in PARTS for n in task.parts[part].lengths}
        assert max(lengths) == length if offered.of == "longest" else lengths == {length}
        assert task.data_version != load(name).data_version
        assert load(name, length) is task
    assert load(name, offered.default) is load(name)
    for length in (offered.min - 1, offered.max + 1):
        with pytest.raises(ValueError, match=f"{name} has lengths of {offered.min} to {offered.max} steps; given {length}"):
            load(name, length)


@pytest.mark.parametrize("name", [name for name in NAMES if load(name).length is None])
def test_other_tasks_have_the_lengths_they_have(name: str) -> None:
    assert load(name, None) is load(name)
    with pytest.raises(ValueError, match=f"the sequences of {name} are as they are, no length can be chosen; leave length out"):
        load(name, 20)


def test_examples_are_listed_page_by_page(task: ArrayTask) -> None:
    first = examples(task, "validation", None, 3)
    second = examples(task, "validation", first[-1]["index"], 3)
    assert [example["index"] for example in first + second] == [0, 1, 2, 3, 4, 5]
    assert set(first[0]) == {"index", "length", "tokens", "text", "target"}
    last = task.size("validation") - 1
    assert [example["index"] for example in examples(task, "validation", last - 1, 50)] == [last]
    assert examples(task, "validation", last, 50) == []


@pytest.mark.parametrize(("after", "limit", "message"), [(-1, 5, "after is -1"), (None, 0, "limit is 0")])
def test_a_page_that_makes_no_sense_is_refused(after: int | None, limit: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        examples(load("adding"), "train", after, limit)


def test_the_version_of_the_data_follows_every_array(task: ArrayTask) -> None:
    def version(**changed: Any) -> str:
        other = copy(task)
        vars(other).pop("data_version", None)
        validation = task.parts["validation"]
        parts = {name: changed.get(name, getattr(validation, name)).copy() for name in ("inputs", "lengths", "targets")}
        other.parts = {**task.parts, "validation": Examples(**parts)}
        return other.data_version

    assert re.fullmatch("[0-9a-f]{16}", task.data_version)
    assert version() == task.data_version == task.data_version
    for name in ("inputs", "lengths", "targets"):
        array = getattr(task.parts["validation"], name).copy()
        array.flat[0] += 1
        assert version(**{name: array}) != task.data_version
    assert len({load(name).data_version for name in NAMES}) == len(NAMES)


def test_parts_are_the_same_in_every_process() -> None:
    """Whatever the order in which that process hashes strings."""
    program = (
        "import hashlib, sys; from server.tasks import load, PARTS; t = load('surnames')\n"
        "h = hashlib.sha256()\n"
        "for p in PARTS: h.update(t.parts[p].inputs.tobytes()); h.update(t.parts[p].targets.tobytes())\n"
        "print(h.hexdigest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
                       capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1
