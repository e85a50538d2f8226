"""Each task from its suggested settings to what a person reads of its run."""

from __future__ import annotations

import io
import json
import math
import zipfile
from typing import Any

import httpx
import numpy as np
import pytest

from engine.trace import Document
from server import limits
from server.tasks import NAMES, load
from tests.server.helpers import API, finished

SUGGESTED = [(name, None) for name in NAMES] + [("adding", 100)]
STEPS = 2


def suggested(name: str, length: int | None) -> dict[str, Any]:
    settings = {key: value for key, value in load(name).suggested.settings().items() if value is not None}
    return {"task": name, **settings, **({} if length is None else {"length": length}), "seed": 5}


@pytest.mark.parametrize(("name", "length"), SUGGESTED)
def test_a_task_trains_with_its_suggestion_and_all_of_the_run_opens(client: httpx.Client, name: str, length: int | None) -> None:
    task = load(name, length)
    created = client.post(f"{API}/runs", json={"program": suggested(name, length), "validate_every": STEPS})
    assert created.status_code == 201, created.text
    address = f"{API}/runs/{created.json()['id']}"
    client.post(f"{address}/steps", json={"count": STEPS})
    run = finished(client, created.json()["id"])
    losses = run["history"]["loss"]
    assert (run["status"], run["step"], len(losses)) == ("idle", STEPS, STEPS)
    assert all(math.isfinite(loss) for loss in losses)
    told = client.get(f"{API}/tasks/{name}", params={} if length is None else {"length": length}).json()
    assert told["baseline"] == client.get(f"{address}/metrics", params={"step": "last"}).json()["metrics"]["baseline"]
    assert told["lengths"]["max"] == (length or told["lengths"]["max"])
    (validation,) = run["validation"]
    assert set(validation) - {"step"} == {"loss"} | ({*task.metrics} & {"accuracy", "recalled", "perplexity", "rmse"})
    _its_step_opens(client, address, losses)
    _it_is_told(client, address, task.metrics, run)


def _its_step_opens(client: httpx.Client, address: str, losses: list[float]) -> None:
    """The whole batch where that is small enough, else each of its examples alone; what is too large is refused before it is made."""
    step = client.get(f"{address}/steps/{STEPS}").json()
    alone = step["examples"][0]
    assert all(one["fits"] for one in step["examples"])
    whole = client.get(f"{address}/steps/{STEPS}/trace")
    if step["whole"]["fits"]:
        assert [one["index"] for one in whole.json()["batch"]["examples"]] == [one["index"] for one in step["examples"]]
        document = Document(whole.json())
        assert float(document.value(document.loss)) == pytest.approx(losses[-1], abs=1e-9, rel=0)
        assert len(whole.content) == pytest.approx(step["whole"]["bytes"], rel=0.25)
        return
    assert (whole.status_code, whole.json()["type"].rpartition(":")[2]) == (422, "limit")
    assert "location" not in whole.headers
    assert "one example" in whole.json()["detail"]
    shown = client.get(f"{address}/steps/{STEPS}/trace", params={"example": alone["index"]})
    assert shown.status_code == 200, shown.text
    assert len(shown.content) < limits.RESPONSE_BYTES
    (example,) = shown.json()["batch"]["examples"]
    assert [example[key] for key in ("index", "length", "text")] == [alone[key] for key in ("index", "length", "text")]


def _it_is_told(client: httpx.Client, address: str, told: tuple[str, ...], run: dict[str, Any]) -> None:
    figures = client.get(f"{address}/metrics", params={"step": "last"}).json()["metrics"]
    last = run["validation"][-1]
    assert {name: figures[name] for name in last if name != "step"} == {name: last[name] for name in last if name != "step"}
    assert {name for name in ("accuracy", "perplexity", "recalled", "rmse") if figures.get(name) is not None} <= {*told}
    mistakes = client.get(f"{address}/mistakes", params={"step": "last", "limit": 1}).json()
    assert mistakes["items"]
    missed = {"part": "validation", "example": mistakes["items"][0]["index"], "tensors": "none"}
    wrong = client.get(f"{address}/steps/{STEPS + 1}/trace", params=missed)
    assert wrong.status_code == 200, wrong.text
    wanted = {"progress", "observation", "validation", "status"}
    with client.stream("GET", f"{address}/events") as stream:  # it stays open
        for line in stream.iter_lines():
            wanted.discard(line.removeprefix("event: "))
            if not wanted:
                break
    exported = zipfile.ZipFile(io.BytesIO(client.get(f"{address}/export", params={"format": "zip", "step": "last"}).content))
    assert exported.testzip() is None
    settings = next(name for name in exported.namelist() if name.endswith(".json"))
    assert json.loads(exported.read(settings))
    rows = next(name for name in exported.namelist() if name.endswith(".csv"))
    assert len(exported.read(rows).decode().splitlines()) == STEPS + 1
    assert np.isfinite(run["history"]["gradient_norm"]).all()
