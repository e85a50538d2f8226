"""Sunspots: the published figures, windows that follow the years, parts that share no year."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.training import Settings, evaluate, train
from server.tasks import PARTS, load
from server.tasks.sunspots import LONGEST, SHORTEST, WINDOW, YEARS, yearly_figures

TASK = load("sunspots")


def test_the_table_holds_the_published_figures() -> None:
    figures = yearly_figures()
    assert list(figures) == list(range(1700, 2009))
    assert [figures[year] for year in (1700, 1701, 1702, 1703)] == [5.0, 11.0, 16.0, 23.0]
    assert [figures[year] for year in (2005, 2006, 2007, 2008)] == [29.8, 15.2, 7.5, 2.9]
    assert max(figures, key=figures.__getitem__) == 1957
    assert figures[1957] == 190.2


@pytest.mark.parametrize("window", [WINDOW, SHORTEST, LONGEST])
def test_every_step_is_asked_for_the_following_year(window: int) -> None:
    figures, task = yearly_figures(), load("sunspots", window)
    for part in PARTS:
        first, last = YEARS[part]
        assert task.size(part) == last - first + 1 - window >= 14
        for index in (0, task.size(part) - 1):
            example = task.describe(task.batch(part, [index]), part)["examples"][0]
            years = range(first + index, first + index + window)
            assert example["tokens"] == pytest.approx([figures[year] / 100 for year in years])
            assert [number for (number,) in example["target"]] == pytest.approx([figures[year + 1] / 100 for year in years])
            assert example["text"] == f"{years[0]}–{years[-1]}"
            assert years[-1] + 1 <= last


def test_without_a_length_windows_are_those_that_they_always_were() -> None:
    assert load("sunspots", WINDOW) is TASK
    assert TASK.data_version != load("sunspots", WINDOW + 1).data_version
    series = np.array([yearly_figures()[year] for year in range(1700, 1900)]) / 100
    whole = TASK.batch("train", range(180))
    for start in (0, 179):
        assert whole.inputs[start, :, 0].tobytes() == series[start : start + 20].tobytes()
        assert whole.targets[start, :, 0].tobytes() == series[start + 1 : start + 21].tobytes()


@pytest.mark.parametrize("window", [SHORTEST - 1, LONGEST + 1])
def test_a_window_that_the_years_do_not_bear_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match=f"sunspots has lengths of 5 to 40 steps; given {window}"):
        load("sunspots", window)


def test_the_parts_are_in_the_order_of_time_and_share_no_year() -> None:
    assert YEARS["train"][1] < YEARS["validation"][0] <= YEARS["validation"][1] < YEARS["test"][0]


def test_the_baseline_repeats_the_last_value() -> None:
    listed = TASK.describe(TASK.batch("validation", range(TASK.size("validation"))), "validation")["examples"]
    errors = [target - value for example in listed for value, (target,) in zip(example["tokens"], example["target"], strict=True)]
    assert TASK.baseline.value == pytest.approx(math.sqrt(sum(e * e for e in errors) / len(errors)), rel=1e-12)


def test_a_network_forecasts_better_than_the_last_value() -> None:
    settings = Settings(cell="gru", hidden_size=16, optimizer={"name": "adamw", "lr": 0.01}, seed=0)
    done = train(TASK, settings, None, 300)
    assert evaluate(TASK, settings, done.checkpoint, "validation")["rmse"] < 0.8 * TASK.baseline.value
