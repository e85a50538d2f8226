"""Data of one's own over HTTP: brought, looked at, learnt from, and gone again."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from engine.training import Settings, evaluate
from server.datasets.reading import read
from server.store.datasets import DatasetStore
from server.store.tables import datasets
from server.tasks.base import PARTS, permutation, shares
from server.tasks.own_data import OwnTexts, own_task
from tests.server.helpers import API, Start, finished
from tests.server.test_uploads import SECRET, visitor

CSV = {"Content-Type": "text/csv"}
WORDS = "word,sort\n" + "".join(f"{'ab' * (i % 5 + 1)}{i},{'even' if i % 2 == 0 else 'odd'}\n" for i in range(60))
SERIES = "day;value\n" + "".join(f"{i};{100 + 10 * math.sin(i / 3):.3f}\n".replace(".", ",") for i in range(300))


def bring(client: httpx.Client, text: str | bytes, **headers: str) -> dict[str, Any]:
    data = text.encode() if isinstance(text, str) else text
    response = client.post(f"{API}/datasets", content=data, headers={**CSV, **headers})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    assert response.headers["location"] == f"{API}/datasets/{made['id']}"
    return made


def texts(made: dict[str, Any]) -> dict[str, Any]:
    return {"id": made["id"], "kind": "text", "text": "word", "label": "sort"}


def small(choice: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"dataset": choice, "cell": "rnn", "hidden_size": 4, "batch_size": 8, **more}


def trained(client: httpx.Client, choice: dict[str, Any], steps: int) -> dict[str, Any]:
    made = client.post(f"{API}/runs", json={"program": small(choice)})
    assert made.status_code == 201, made.text
    assert client.post(f"{API}/runs/{made.json()['id']}/steps", json={"count": steps}).status_code in (200, 202)
    return finished(client, made.json()["id"])


def test_a_file_is_described_and_can_be_read_again(client: httpx.Client) -> None:
    made = bring(client, WORDS)
    assert (made["encoding"], made["delimiter"], made["header"], made["rows"]) == ("utf-8", ",", True, 60)
    assert [(column["name"], column["kind"], column["distinct"]) for column in made["columns"]] == [
        ("word", "text", 60),
        ("sort", "category", 2),
    ]
    assert made["preview"][0] == ["ab0", "even"]
    assert len(made["preview"]) == 20
    assert made["suggestion"] == {"kind": "text", "text": "word", "label": "sort"}
    assert made["problems"] == []
    assert (made["kept"], made["runs"]) == (False, 0)
    assert 3500 < made["expires"] <= 3600
    again = client.get(f"{API}/datasets/{made['id']}").json()
    assert {**again, "expires": 0} == {**made, "expires": 0}
    assert client.get(f"{API}/datasets").json()["items"][0]["id"] == made["id"]


def test_text_is_taken_as_json_too(client: httpx.Client) -> None:
    made = client.post(f"{API}/datasets", json={"text": WORDS})
    assert made.status_code == 201
    assert made.json()["rows"] == 60
    refused = client.post(f"{API}/datasets", json={"words": WORDS})
    assert refused.status_code == 422
    assert "/text" in refused.text


def test_what_would_be_learnt_is_told_before_anything_is_trained(client: httpx.Client) -> None:
    made = bring(client, WORDS + ",odd\nlonely,\nab0,even\n")
    told = client.post(f"{API}/datasets/{made['id']}/task", json={"dataset": texts(made)}).json()
    task = told["task"]
    assert (task["name"], task["kind"], task["classes"], task["display"]) == ("own-data", "classification", ["even", "odd"], "letters")
    assert task["sizes"] == {"train": 48, "validation": 6, "test": 6}
    assert task["title"]["en"] == "word → sort"
    assert [(problem["row"], problem["column"]) for problem in told["problems"]] == [(62, "word"), (63, "sort"), (None, None)]
    assert told["problem_count"] == 3
    assert len(told["examples"]) == 8


@pytest.mark.parametrize(
    ("change", "words"),
    [({"label": "kind"}, "there is no column"), ({"label": "word"}, "same column")],
)
def test_a_choice_that_cannot_be_learnt_is_refused_in_words(client: httpx.Client, change: dict[str, str], words: str) -> None:
    made = bring(client, WORDS)
    choice = {**texts(made), **change}
    for response in (
        client.post(f"{API}/datasets/{made['id']}/task", json={"dataset": choice}),
        client.post(f"{API}/runs", json={"program": small(choice)}),
    ):
        assert response.status_code == 422
        assert words in response.text


def test_texts_are_learnt_watched_and_opened(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.tasks.own_data.read", None)  # in the server's process: only workers read a whole file
    made = bring(client, WORDS)
    run = trained(client, texts(made), 30)
    assert (run["status"], run["step"]) == ("idle", 30)
    assert run["program"]["task"] == "own-data"
    assert run["program"]["dataset"] == texts(made)
    assert 0 <= run["validation"][-1]["accuracy"] <= 1
    trace = client.get(f"{API}/runs/{run['id']}/steps/9/trace", params={"example": 0})
    assert trace.status_code == 200, trace.text
    film = trace.json()
    assert film["program"]["dataset"] == texts(made)
    example = film["batch"]["examples"][0]
    assert example["text"] == "".join(example["tokens"])
    assert film["batch"]["classes"] == ["even", "odd"]
    for address in (
        f"{API}/runs/{run['id']}/steps/9/trace?example=0", f"{API}/runs/{run['id']}/export?format=zip",
        f"{API}/traces/{film['id']}", f"{API}/traces/{film['id']}?tensors=none", f"{API}/traces/{film['id']}/export/dot",
    ):  # fmt: skip
        response = client.get(address)
        assert (response.status_code, response.headers["cache-control"]) == (200, "private, no-store"), address
    again = client.post(f"{API}/traces", json={"program": {"kind": "network", **small(texts(made)), "step": 9, "example": 0}})
    assert again.status_code == 200
    assert again.json()["id"] == film["id"]


def test_a_series_is_scaled_by_its_training_part_and_judged_in_its_own_unit(client: httpx.Client) -> None:
    made = bring(client, SERIES)
    assert (made["delimiter"], made["suggestion"]) == (";", {"kind": "series", "column": "value", "window": 20})
    choice = {"id": made["id"], "kind": "series", "column": "value", "window": 12}
    task = own_task(choice, SERIES.encode())
    values = np.array([float(f"{100 + 10 * math.sin(i / 3):.3f}") for i in range(300)])
    assert task.offset == pytest.approx(values[:240].mean())
    assert task.scale == pytest.approx(values[:240].std())
    errors = np.concatenate([np.diff(values[s : s + 13]) for s in range(240, 270 - 12)])
    assert task.baseline.value == pytest.approx(math.sqrt((errors**2).mean()))
    run = trained(client, choice, 40)
    settings = Settings(cell="rnn", hidden_size=4, batch_size=8)
    before = evaluate(task, settings, None, "validation")["rmse"] * task.scale
    assert 0 < run["validation"][-1]["rmse"] < before
    metrics = client.get(f"{API}/runs/{run['id']}/metrics", params={"part": "validation", "step": "last"}).json()
    assert metrics["metrics"]["rmse"] == pytest.approx(run["validation"][-1]["rmse"])
    mistakes = client.get(f"{API}/runs/{run['id']}/mistakes", params={"part": "validation", "step": "last"}).json()["items"]
    squares = []
    for mistake in mistakes:
        first = 240 + mistake["index"]  # row of the window's first number, from 0
        assert np.ravel(mistake["target"]) == pytest.approx(values[first + 1 : first + 13])
        squares.append((np.ravel(mistake["prediction"]) - np.ravel(mistake["target"])) ** 2)
    assert len(mistakes) == metrics["metrics"]["examples"]
    seen = client.get(f"{API}/runs/{run['id']}/observations", params={"after": 39}).json()["items"][-1]["predictions"]
    said = {mistake["index"]: mistake["prediction"] for mistake in mistakes}
    for one in seen:  # of the network after the last step, as the mistakes
        assert np.ravel(one["target"]) == pytest.approx(values[240 + one["index"] + 1 : 240 + one["index"] + 13])
        assert np.ravel(one["prediction"]) == pytest.approx(np.ravel(said[one["index"]]))
    assert np.sqrt(np.mean(squares)) == pytest.approx(metrics["metrics"]["rmse"])


def test_no_window_reaches_over_a_gap_or_from_one_part_into_another() -> None:
    lines = SERIES.splitlines()
    lines[51], lines[101] = "50;", "100;many"
    task = own_task({"id": "d_1", "kind": "series", "column": "value", "window": 10}, "\n".join(lines).encode())
    for part, (low, high) in {"train": (0, 240), "validation": (240, 270), "test": (270, 300)}.items():
        starts = task.starts[part]  # type: ignore[union-attr,index]
        assert starts.min() >= low
        assert starts.max() + 10 < high
        for gap in (50, 100):
            assert not ((starts <= gap) & (gap <= starts + 10)).any()
    assert [(problem.row, problem.column) for problem in task.problems] == [(52, "value"), (102, "value")]
    assert "no number" in task.problems[1].message


def test_letters_are_known_from_the_training_part_alone() -> None:
    rows = [f"{chr(0x4E00 + i)}x,{i % 2}" for i in range(100)]
    task = own_task({"id": "d_2", "kind": "text", "text": "t", "label": "l"}, ("t,l\n" + "\n".join(rows)).encode())
    assert task.features is not None
    known = set(task.features)
    trained_on = {
        token for e in task.describe(task.batch("train", range(task.size("train"))), "train")["examples"] for token in e["tokens"]
    }
    assert trained_on == known - {"\ufffd"}
    for part in ("validation", "test"):
        for example in task.describe(task.batch(part, range(task.size(part))), part)["examples"]:
            assert example["tokens"] == ["\ufffd", "x"]
    batch = task.batch("train", range(5))
    assert (batch.inputs.sum(axis=2) == 1).all()


def test_every_class_stands_in_every_part_where_there_is_room() -> None:
    rows = [(f"a{i}", "often") for i in range(15)] + [(f"b{i}", "seldom") for i in range(7)] + [(f"c{i}", "thrice") for i in range(3)]
    choice = {"id": "", "kind": "text", "text": "word", "label": "sort"}
    small = own_task(choice, ("word,sort\n" + "".join(f"{word},{name}\n" for word, name in rows)).encode())
    assert [small.size(part) for part in PARTS] == [21, 2, 2]
    for part in ("validation", "test"):  # there is no room for the third
        assert sorted(small.parts[part].targets) == [0, 1]
    assert small.baseline.value == 0.5
    large = own_task(choice, ("word,sort\n" + "".join(f"{k}{word},{name}\n" for k in range(4) for word, name in rows)).encode())
    assert [np.bincount(large.parts[part].targets).tolist() for part in PARTS] == [[48, 22, 10], [6, 3, 1], [6, 3, 1]]


@given(st.lists(st.integers(1, 60), min_size=2, max_size=40).filter(lambda counts: sum(counts) >= 20))
def test_parts_are_a_tenth_and_have_their_share_of_every_class(counts: list[int]) -> None:
    labels = [f"{k:02}" for k, count in enumerate(counts) for _ in range(count)]
    labels = [labels[i] for i in permutation(len(labels), 1)]
    parts = shares(labels)
    assert sorted(place for part in PARTS for place in parts[part]) == list(range(len(labels)))
    tenth = len(labels) // 10
    assert len(parts["validation"]) == len(parts["test"]) == tenth
    assert parts == shares(labels)
    there = {part: Counter(labels[place] for place in parts[part]) for part in PARTS}
    large = [name for name, count in Counter(labels).items() if count >= 3]
    enough = sum((count - 1) // 2 for count in counts) >= tenth
    for name in large:
        if len(large) <= tenth and enough:
            assert all(there[part][name] for part in PARTS)
        if enough:
            assert there["validation"][name] == there["test"][name] < there["train"][name] + there["test"][name]


def test_a_run_from_before_classes_were_shared_out_keeps_its_parts(client: httpx.Client) -> None:
    made = bring(client, WORDS)
    data, choice = WORDS.encode(), texts(made)
    now, before = own_task(choice, data), OwnTexts(read(data), "word", "sort", 64, by_class=False)
    assert now.data_version != before.data_version
    assert own_task(choice, data, before.data_version).data_version == before.data_version
    assert own_task(choice, data, "0" * 16) is now
    program = {"kind": "network", **small(choice), "example": 0, "step": 3}
    old = client.post(f"{API}/traces", json={"program": {**program, "data": before.data_version}})
    assert old.status_code == 201, old.text
    batch = before.describe(before.batch("train", [0]), "train")["examples"][0]
    assert old.json()["batch"]["examples"][0]["text"] == batch["text"]
    run = client.post(f"{API}/runs", json={"program": {**small(choice), "data": before.data_version}}).json()
    assert run["program"]["data"] == before.data_version
    client.post(f"{API}/runs/{run['id']}/steps", json={"count": 3}).raise_for_status()
    finished(client, run["id"])
    found = client.get(f"{API}/runs/{run['id']}/metrics", params={"step": "last"}).json()["metrics"]
    support = [one["support"] for one in found["classification"]["classes"]]
    assert support == np.bincount(before.parts["validation"].targets, minlength=2).tolist()
    assert client.post(f"{API}/runs", json={"program": small(choice)}).json()["program"]["data"] == now.data_version


def test_it_is_told_how_many_classes_the_small_parts_lack(client: httpx.Client) -> None:
    names = ["even", "odd", "third"]
    made = bring(client, "word,sort\n" + "".join(f"w{i},{names[i % 3]}\n" for i in range(24)))
    told = client.post(f"{API}/datasets/{made['id']}/task", json={"dataset": texts(made)}).json()
    assert (told["task"]["sizes"]["validation"], told["absent"]) == (2, {"validation": 1, "test": 1})
    series = bring(client, SERIES)
    choice = {"id": series["id"], "kind": "series", "column": "value", "window": 5}
    assert client.post(f"{API}/datasets/{series['id']}/task", json={"dataset": choice}).json()["absent"] == {"validation": 0, "test": 0}


def test_long_texts_are_cut_and_it_is_said() -> None:
    text = "t,l\n" + "".join(f"{i:03}{'z' * 300},{i % 2}\n" for i in range(40))
    task = own_task({"id": "d_3", "kind": "text", "text": "t", "label": "l", "length": 30}, text.encode())
    assert task.batch("train", [0]).lengths.tolist() == [30]
    assert task.problems[0].message == "40 texts are longer than 30 characters; the first 30 are read"


def test_nobody_else_sees_or_uses_it(start: Start) -> None:
    with start(secret=SECRET) as client:
        made = bring(client, WORDS, **visitor("1"))
        other, address = visitor("2"), f"{API}/datasets/{made['id']}"
        assert client.get(f"{API}/datasets", headers=other).json()["items"] == []
        assert client.get(address, headers=other).status_code == 404
        assert client.post(f"{address}/task", json={"dataset": texts(made)}, headers=other).status_code == 404
        assert client.patch(address, json={"kept": True}, headers=other).status_code == 404
        assert client.delete(address, headers=other).status_code == 404
        refused = client.post(f"{API}/runs", json={"program": small(texts(made))}, headers=other)
        assert refused.status_code == 422
        assert "are gone, or are not yours" in refused.text
        assert client.get(address, headers=visitor("1")).status_code == 200


def test_it_goes_with_its_last_run_and_its_traces_with_it(client: httpx.Client) -> None:
    made = bring(client, WORDS)
    first, second = trained(client, texts(made), 2), trained(client, texts(made), 2)
    trace = client.get(f"{API}/runs/{first['id']}/steps/1/trace", params={"example": 1}).json()["id"]
    assert client.get(f"{API}/datasets/{made['id']}").json()["runs"] == 2
    client.delete(f"{API}/runs/{first['id']}")
    assert client.get(f"{API}/datasets/{made['id']}").json()["runs"] == 1
    assert client.get(f"{API}/traces/{trace}").status_code == 200
    assert trace not in [item["id"] for item in client.get(f"{API}/traces", params={"limit": 100}).json()["items"]]
    client.delete(f"{API}/runs/{second['id']}")
    assert client.get(f"{API}/datasets/{made['id']}").status_code == 404
    assert client.get(f"{API}/traces/{trace}").status_code == 404


def test_it_is_kept_where_that_is_asked_for(client: httpx.Client) -> None:
    made = bring(client, WORDS)
    address = f"{API}/datasets/{made['id']}"
    kept = client.patch(address, json={"kept": True}).json()
    assert (kept["kept"], kept["expires"]) == (True, None)
    run = trained(client, texts(made), 1)
    client.delete(f"{API}/runs/{run['id']}")
    assert client.get(address).status_code == 200
    assert client.patch(address, json={"kept": False}).json()["expires"] > 3500
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert client.delete(address).status_code == 404


def test_a_run_whose_data_were_deleted_says_so(client: httpx.Client) -> None:
    made = bring(client, WORDS)
    run = trained(client, texts(made), 3)
    assert client.delete(f"{API}/datasets/{made['id']}").status_code == 204
    assert client.get(f"{API}/runs/{run['id']}").json()["step"] == 3
    for refused in (
        client.post(f"{API}/runs/{run['id']}/steps", json={"count": 1}),
        client.get(f"{API}/runs/{run['id']}/steps/1/trace", params={"example": 0}),
    ):
        assert refused.status_code == 422
        assert "are gone" in refused.text


def test_one_that_no_run_uses_goes_after_its_time(database_url: str) -> None:
    from server.store.database import open_database

    engine = open_database(database_url)
    store = DatasetStore(engine, 2, 3600)
    old, new = (store.put("v_1", b"a,b\n1,2\n", {"rows": 1, "columns": [], "bytes": 8}) for _ in range(2))
    with engine.begin() as connection:
        connection.execute(update(datasets).where(datasets.c.id == old).values(since=0.0))
    assert store.describe(old, "v_1") is None
    assert [item["id"] for item in store.page("v_1", 10, None)[0]] == [new]
    third, fourth = (store.put("v_1", b"a,b\n1,2\n", {"rows": 1, "columns": [], "bytes": 8}) for _ in range(2))
    assert [item["id"] for item in store.page("v_1", 10, None)[0]] == [fourth, third]  # two of a visitor
    engine.dispose()


def test_a_program_learns_one_thing(client: httpx.Client) -> None:
    made = bring(client, WORDS)
    for program, words in (
        ({**small(texts(made)), "task": "digits"}, "give a task or a data set, not both"),
        ({**small(texts(made)), "length": 20}, "leave length out"),
        ({"cell": "rnn"}, "give one of them"),
        (small({"id": made["id"], "kind": "pictures"}), "kind"),
    ):
        refused = client.post(f"{API}/runs", json={"program": program})
        assert refused.status_code == 422
        assert words in refused.text
    assert json.loads(client.get(f"{API}/limits").text)["visitor_datasets"] == 8
