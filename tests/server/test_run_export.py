"""Runs as files: what stands in them, and the script, which PyTorch runs where it is installed."""

from __future__ import annotations

import ast
import csv
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import numpy.typing as npt
import pytest

from engine.nn.weights import read_safetensors
from engine.ops.op import Array
from engine.training import Batch, Settings, Slice, Task, train
from engine.training.checkpoint import restore
from server.export.run_files import history_csv, learning_rates
from server.export.run_script import _literal, data, script
from server.tasks import load
from tests.server.helpers import API, create_run, finished

torch_is_there = find_spec("torch") is not None


class Letters:
    """Random letters of unequal lengths; every step asks for the next one but one. No file of the tasks', so that it stays what it is."""

    name, data_version, kind, readout, input_size, output_size = "letters", "0", "classification", "every", 5, 4

    def size(self, part: str) -> int:
        return 40

    def batch(self, part: str, indices: Sequence[int] | npt.NDArray[np.int64]) -> Batch:
        random = np.random.default_rng(4)
        lengths, targets = random.integers(1, 8, 40), random.integers(0, 4, (40, 7))
        inputs = np.eye(5)[random.integers(0, 5, (40, 7))] * (np.arange(7) < lengths[:, None])[:, :, None]
        chosen = np.asarray(indices, dtype=np.int64)
        return Batch(inputs[chosen], lengths[chosen], targets[chosen], chosen)

    def describe(self, batch: Batch, part: str) -> dict[str, Any]:
        rows = zip(batch.indices.tolist(), batch.targets.tolist(), strict=True)
        return {"examples": [{"index": index, "text": str(index), "target": target} for index, target in rows]}


def task_of(name: str) -> Task:
    return Letters() if name == "letters" else load(name)  # type: ignore[return-value]


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn, last state of a regression": ("adding", {"cell": "rnn", "clip_norm": None}),
    "lstm, AMSGrad": ("adding", {"cell": "lstm", "optimizer": {"name": "adam", "lr": 0.01, "amsgrad": True}, "clip_norm": 0.1}),
    "gru, unequal lengths of a classification": ("surnames", {"cell": "gru", "batch_size": 16}),
    "every step of a series": (
        "sunspots", {"cell": "gru", "optimizer": {"name": "rmsprop", "lr": 0.005, "momentum": 0.5, "centered": True}},
    ),
    "layers, both directions, dropout": (
        "surnames", {"cell": "lstm", "layers": 2, "bidirectional": True, "dropout": 0.4, "batch_size": 8,
                     "optimizer": {"name": "sgd", "lr": 0.2, "momentum": 0.9, "nesterov": True, "weight_decay": 0.001}},
    ),
    "truncation of unequal lengths, warm-up": (
        "surnames", {"cell": "lstm", "layers": 2, "truncation": 3, "batch_size": 8, "forget_bias": 1.0,
                     "schedule": {"name": "warmup_cosine", "warmup_iters": 5, "total_iters": 60}},
    ),
    "every step of unequal lengths, dropout, edits": (
        "letters", {"cell": "gru", "layers": 3, "dropout": 0.3, "batch_size": 8, "truncation": 2,
                    "schedule": {"name": "step", "step_size": 10, "gamma": 0.5},
                    "edits": [{"step": 7, "lr": 0.05}, {"step": 25, "lr": 0.02}]},
    ),
    "every step, both directions": (
        "letters", {"cell": "rnn", "bidirectional": True, "dropout": 0.2, "batch_size": 8,
                    "schedule": {"name": "exponential", "gamma": 0.97},
                    "optimizer": {"name": "adagrad", "lr": 0.05, "lr_decay": 0.01, "initial_accumulator_value": 0.1}},
    ),
    "cosine, edits before": (
        "sunspots", {"cell": "lstm", "schedule": {"name": "cosine", "T_max": 30, "eta_min": 0.001}, "edits": [{"step": 1, "lr": 0.03}],
                     "initialisation": "orthogonal"},
    ),
    "linear, truncation": ("sunspots", {"cell": "gru", "truncation": 5, "schedule": {"name": "linear", "total_iters": 20}}),
}  # fmt: skip


STEPS = 120  # more than are compared


def made(case: str, steps: int = STEPS) -> tuple[str, bytes, Slice]:
    """The script of a case, its data, and its training."""
    name, more = CASES[case]
    task, settings = task_of(name), Settings(**{"hidden_size": 6, "seed": 5, **more})
    trained = train(task, settings, None, steps)
    return script(task, settings), data(task, settings, trained.losses), trained


@pytest.mark.parametrize("case", CASES)
def test_the_script_is_python_with_the_runs_settings(case: str) -> None:
    text, content, trained = made(case, steps=3)
    assert "{{" not in text
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(text).body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id not in ("CELLS", "OPTIMIZERS")
    }  # fmt: skip
    name, more = CASES[case]
    settings = Settings(**{"hidden_size": 6, "seed": 5, **more})
    assert (constants["CELL"], constants["LAYERS"], constants["TRUNCATION"]) == (settings.cell, settings.layers, settings.truncation)
    assert {"name": constants["OPTIMIZER"], **constants["OPTIONS"]} == settings.optimizer
    assert constants["SCHEDULE"] == settings.schedule
    assert constants["EDITS"] == [dict(edit) for edit in settings.edits]
    compile(text, "train.py", "exec")
    arrays = np.load(io.BytesIO(content), allow_pickle=False)
    assert arrays["losses"].tolist() == trained.losses
    assert arrays["compared"] == 3
    assert {file.removeprefix("weights/") for file in arrays.files if file.startswith("weights/")} == {
        name for name, _ in restore(task_of(name), settings, None).model.named_parameters()
    }
    assert len([file for file in arrays.files if file.startswith("masks/")]) == (3 * settings.layers if settings.dropout else 0)
    assert data(task_of(name), settings, trained.losses) == content  # the same bytes again


# One process for all scripts: to import torch takes longer than to train with it.
RUN_ALL = """
import contextlib, io, json, os, runpy, sys, traceback
for folder in sys.argv[1:]:
    os.chdir(folder)
    printed, code = io.StringIO(), 0
    with contextlib.redirect_stdout(printed):
        try:
            runpy.run_path("train.py", run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        except Exception:
            traceback.print_exc(file=printed)
            code = 2
    print(json.dumps([code, printed.getvalue()]), flush=True)
"""


class Ran(NamedTuple):
    """What a script ended with, what it printed, the weights that it wrote, and the training that it was to repeat."""

    code: int
    printed: list[str]
    weights: dict[str, Array]
    trained: Slice


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """The script of each case."""
    folders, trainings = [tmp_path_factory.mktemp("script") for _ in CASES], []
    for case, folder in zip(CASES, folders, strict=True):
        text, content, trained = made(case)
        (folder / "train.py").write_text(text, encoding="utf-8")
        (folder / "data.npz").write_bytes(content)
        trainings.append(trained)
    done = subprocess.run([sys.executable, "-c", RUN_ALL, *map(str, folders)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = {}
    for case, folder, line, trained in zip(CASES, folders, done.stdout.splitlines(), trainings, strict=True):
        code, printed = json.loads(line)
        assert code == 0, printed[-2000:]
        found[case] = Ran(code, printed.splitlines(), dict(np.load(folder / "trained.npz", allow_pickle=False)), trained)
    return found


@pytest.mark.skipif(not torch_is_there, reason="PyTorch is not installed")
@pytest.mark.parametrize("case", CASES)
def test_pytorch_has_the_same_losses_and_goes_on_from_there(case: str, ran: dict[str, Ran]) -> None:
    _, printed, weights, trained = ran[case]
    assert printed[101].startswith("the largest difference of 100 losses is ")
    rows = [line.split(",") for line in [*printed[1:101], *printed[102:-1]]]
    assert [int(row[0]) for row in rows] == list(range(1, STEPS + 1))  # each once
    assert [float(row[2]) for row in rows] == trained.losses
    away = [abs(float(row[1]) - loss) for row, loss in zip(rows, trained.losses, strict=True)]
    assert max(away[:100]) < 1e-6  # and 1e-4 is what it tells
    assert np.std(trained.losses) > 1e-3  # it trained
    name, more = CASES[case]
    settings = Settings(**{"hidden_size": 6, "seed": 5, **more})
    expected = restore(task_of(name), settings, trained.checkpoint).model.state_dict()
    assert weights.keys() == expected.keys()
    start = restore(task_of(name), settings, None).model.state_dict()
    for weight in weights:
        far = np.abs(weights[weight] - expected[weight]).max()
        if settings.dropout:  # from there on other masks
            assert 0 < far < 2 * np.abs(expected[weight] - start[weight]).max()
        else:
            assert far < 1e-6
    if settings.dropout:
        assert max(away[100:]) > 1e-3
        assert np.mean([float(row[1]) for row in rows[100:]]) == pytest.approx(np.mean(trained.losses[100:]), rel=0.3)
    else:
        assert max(away[100:]) < 1e-6


@pytest.mark.skipif(not torch_is_there, reason="PyTorch is not installed")
def test_the_script_tells_when_it_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.limits.EXPORT_STEPS", 5)
    text, content, _ = made("rnn, last state of a regression", steps=8)
    arrays = dict(np.load(io.BytesIO(content)))
    np.savez(tmp_path / "data.npz", **{**arrays, "losses": arrays["losses"] + [0, 0, 0.001, 0, 0, 0, 0, 0]})
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "train.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "the largest difference of 5 losses is 1.00e-03")
    assert not (tmp_path / "trained.npz").exists()


@pytest.mark.parametrize("value", ['"; import os', "a b", float("inf"), object(), "{{settings}}", ""])
def test_what_is_no_setting_gets_into_no_script(value: Any) -> None:
    with pytest.raises(TypeError, match="no setting"):
        _literal({"lr": value})


def test_masks_that_pass_the_limit_end_what_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.limits.EXPORT_MASK_BYTES", 100)
    task, settings = load("surnames"), Settings(hidden_size=4, dropout=0.5, batch_size=64)  # 32 bytes of masks a step
    arrays = np.load(io.BytesIO(data(task, settings, [1.0] * 10)))
    assert (arrays["compared"], len(arrays["losses"]), len(arrays["batches"])) == (3, 10, 10)


def test_examples_that_pass_the_limit_end_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    task, settings = load("digits"), Settings(hidden_size=4, batch_size=64)  # 512 bytes an example
    monkeypatch.setattr("server.limits.EXPORT_EXAMPLE_BYTES", 200 * 512)
    arrays = np.load(io.BytesIO(data(task, settings, [1.0] * 30)))
    assert (arrays["compared"], len(arrays["losses"]), len(arrays["batches"]), len(arrays["inputs"])) == (3, 3, 3, 192)
    monkeypatch.setattr("server.limits.EXPORT_EXAMPLE_BYTES", task.size("train") * 512)
    arrays = np.load(io.BytesIO(data(task, settings, [1.0] * 30)))
    assert len(arrays["batches"]) == 30  # more than an epoch: no example twice
    assert 192 < len(arrays["inputs"]) <= task.size("train")


def test_the_history_as_csv() -> None:
    settings = Settings(optimizer={"name": "sgd", "lr": 0.5}, schedule={"name": "step", "step_size": 2}, edits=[{"step": 2, "lr": 0.25}])
    history = {"loss": [0.1 + 0.2, float("nan"), 3.0], "gradient_norm": [1.0, float("inf"), 2.0]}
    content = history_csv(settings, history, [{"step": 2, "loss": 0.5, "rmse": "NaN", "accuracy": None}])
    assert content == (
        b"step,loss,gradient_norm,learning_rate,validation_loss,validation_rmse\r\n"
        b"1,0.30000000000000004,1.0,0.5,,\r\n2,nan,inf,0.25,0.5,nan\r\n3,3.0,2.0,0.025,,\r\n"
    )
    assert learning_rates(settings, 3) == [0.5, 0.25, 0.025]


def test_a_run_as_files(client: httpx.Client) -> None:
    program = {"task": "surnames", "cell": "gru", "hidden_size": 4, "batch_size": 8, "seed": 2}
    run = create_run(client, **program)
    address = f"{API}/runs/{run}/export"
    early = client.get(address, params={"format": "zip"})
    assert (early.status_code, "no step" in early.json()["detail"]) == (409, True)
    client.post(f"{API}/runs/{run}/steps", json={"count": 12})
    state = finished(client, run)
    task, settings = load("surnames"), Settings(hidden_size=4, batch_size=8, seed=2)

    response = client.get(address, params={"format": "safetensors", "step": 7})
    assert f'filename="retrograd-surnames-gru-step-7-{run.replace("_", "-")}.safetensors"' in response.headers["content-disposition"]
    weights = read_safetensors(response.content)
    expected = restore(task, settings, train(task, settings, None, 7).checkpoint).model.state_dict()
    assert weights.keys() == expected.keys()
    assert all(np.array_equal(weights[name], expected[name]) for name in weights)
    assert (
        client.get(address, params={"format": "safetensors", "step": 7}, headers={"If-None-Match": response.headers["etag"]}).status_code
        == 304
    )

    about = client.get(address, params={"format": "json"}).json()
    assert (about["program"], about["id"], about["steps"]) == (state["program"], run, 12)
    assert about["versions"].keys() == {"retrograd", "python", "numpy"}

    response = client.get(address, params={"format": "csv"})
    assert response.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [float(row["loss"]) for row in rows] == state["history"]["loss"]
    assert [float(row["gradient_norm"]) for row in rows] == state["history"]["gradient_norm"]
    assert {row["learning_rate"] for row in rows} == {"0.01"}
    assert float(rows[-1]["validation_accuracy"]) == state["validation"][-1]["accuracy"]

    first, second = (client.get(address, params={"format": "zip", "step": "last"}).content for _ in range(2))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["README.txt", "model.safetensors", "settings.json", "history.csv", "train.py", "data.npz"]
        assert json.loads(archive.read("settings.json"))["step"] == 12
        compile(archive.read("train.py"), "train.py", "exec")
        arrays = np.load(io.BytesIO(archive.read("data.npz")), allow_pickle=False)
    assert arrays["losses"].tolist() == state["history"]["loss"]
    assert arrays["batches"].shape == (12, 8)


def test_formats_and_steps_that_there_are_not(client: httpx.Client) -> None:
    run = create_run(client)
    assert client.get(f"{API}/runs/{run}/export", params={"format": "onnx"}).status_code == 422
    assert client.get(f"{API}/runs/{run}/export", params={"format": "csv", "step": 1}).status_code == 404
    assert client.get(f"{API}/runs/r_0/export", params={"format": "csv"}).status_code == 404
    assert client.get(f"{API}/runs/{run}/export", params={"format": "csv"}).text == "step,loss,gradient_norm,learning_rate\r\n"
