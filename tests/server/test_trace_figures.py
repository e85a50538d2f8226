"""Figures of traces: what they draw is what the trace holds, in both languages."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import plotly.graph_objects as go  # type: ignore[import-untyped]  # plotly publishes no types
import pytest

from engine.trace import Document, itemise
from server.figures import words
from tests.server.helpers import API, expression

NAMES = ("gradient-through-time", "bptt", "gradient-histogram", "update")


@pytest.fixture(scope="module")
def network(client: httpx.Client) -> Document:
    """A step of an LSTM that reads every state, on a batch of three windows."""
    program = {"kind": "network", "task": "sunspots", "cell": "lstm", "hidden_size": 3, "batch_size": 3, "clip_norm": 0.01}
    response = client.post(f"{API}/traces", json={"program": program})
    assert response.status_code in (200, 201), response.text
    return Document(response.json())


def figure(client: httpx.Client, document: Document, name: str, **query: Any) -> dict[str, Any]:
    response = client.get(f"{API}/traces/{document.doc['id']}/figures/{name}", params=query)
    assert response.status_code == 200, response.text
    drawn: dict[str, Any] = response.json()
    assert drawn["schema_version"] == 1
    go.Figure(drawn)  # raises for what is no figure
    return drawn


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_speaks_both_languages(client: httpx.Client, network: Document, name: str) -> None:
    english, chinese = figure(client, network, name), figure(client, network, name, lang="zh")
    axes = [[drawn["layout"][axis]["title"]["text"] for axis in ("xaxis", "yaxis")] for drawn in (english, chinese)]
    assert all(re.search("[\u4e00-\u9fff]", title) for title in axes[1]), axes
    assert not any(re.search("[\u4e00-\u9fff]", title) for title in axes[0])
    assert "template" not in english["layout"]
    assert [len(trace) for trace in english["data"]] == [len(trace) for trace in chinese["data"]]
    response = client.get(f"{API}/traces/{network.doc['id']}/figures/{name}", params={"lang": "fr"})
    assert response.status_code == 422


def test_gradients_through_time(client: httpx.Client, network: Document) -> None:
    drawn, answer = figure(client, network, "gradient-through-time", row=1), itemise(network, 1)
    assert [trace["y"] for trace in drawn["data"]] == [answer["state_norms"]["h"], answer["state_norms"]["c"], answer["jacobian_norms"][-1]]
    assert all(trace["x"] == list(range(1, 21)) for trace in drawn["data"])
    assert drawn["data"][2]["name"] == "‖∂(h,c)<sub>20</sub>/∂(h,c)<sub>t</sub>‖"
    assert drawn["layout"]["yaxis"]["type"] == "log"


@pytest.mark.parametrize("of", ["loss", "jacobian"])
def test_pairs_of_steps(client: httpx.Client, network: Document, of: str) -> None:
    answer = itemise(network)
    (heat,) = figure(client, network, "bptt", of=of)["data"]
    assert heat["type"] == "heatmap"
    for t in range(20):
        for s in range(20):
            norm = 0 if s > t else (answer["loss_norms"]["h"] if of == "loss" else answer["jacobian_norms"])[t][s]
            assert heat["z"][t][s] == (None if norm == 0 else pytest.approx(math.log10(norm), abs=1e-12))


def test_uses_of_a_parameter_add_up_to_the_norm_of_its_gradient(client: httpx.Client, network: Document) -> None:
    for path in ("rnn.weight_hh_l0", "head.weight"):
        drawn = figure(client, network, "bptt", parameter=path)
        (bars,), (remark,) = drawn["data"], drawn["layout"]["annotations"]
        gradient = network.gradient(network.node(path)["id"])
        assert gradient is not None
        norm = float(np.linalg.norm(gradient))
        assert sum(bars["y"]) == pytest.approx(norm, rel=1e-12)
        assert remark["text"] == f"{path}: the bars add up to ‖G‖ = {norm:.4g}"
    assert bars["x"] == ["outside time"]


def test_magnitudes_are_counted_once_each(client: httpx.Client, network: Document) -> None:
    drawn = figure(client, network, "gradient-histogram")
    for trace in drawn["data"]:
        gradient = network.gradient(network.node(trace["name"])["id"])
        assert gradient is not None
        assert sum(trace["y"]) == np.count_nonzero(gradient)
        centres = np.log10(trace["x"])
        np.testing.assert_allclose(np.diff(centres), 0.1, rtol=1e-9)
        for centre, count in zip(centres, trace["y"], strict=True):
            with np.errstate(divide="ignore"):
                inside = np.abs(np.log10(np.abs(gradient)) - centre) < 0.05 - 1e-12
            assert inside.sum() == count
    assert {trace["name"] for trace in drawn["data"]} == {node["path"] for node in network.nodes if node["role"] == "parameter"}


def test_what_a_logarithm_cannot_show_is_counted(client: httpx.Client) -> None:
    made = client.post(f"{API}/traces", json=expression("relu(w)*log(v)", {"w": [1, -1, 1], "v": [1, 1, 0]}))
    drawn = figure(client, Document(made.json()), "gradient-histogram")
    assert drawn["layout"]["annotations"][0]["text"] == "not shown: 3 zeros, 2 that are not finite"
    nothing = client.post(f"{API}/traces", json=expression("w*0", {"w": 1}))
    assert figure(client, Document(nothing.json()), "gradient-histogram")["data"][0]["y"] == [0] * 10


def test_the_update_of_every_parameter(client: httpx.Client, network: Document) -> None:
    drawn = figure(client, network, "update")
    events = network.doc["events"]
    bars = {trace["name"]: trace["y"] for trace in drawn["data"]}
    assert list(bars) == [words.words("en")[key] for key in ("gradient", "clipped", "delta", "ratio")]
    for place, path in enumerate(drawn["data"][0]["x"]):
        node = network.node(path)["id"]
        (terms,) = (about["terms"] for event, about in events["details"].items() if events["node"][int(event)] == node)
        norms = {name: float(np.linalg.norm(network.tensor(reference))) for name, reference in terms.items()}
        found = [y[place] for y in bars.values()]
        assert found == pytest.approx([norms["gradient"], norms["clipped"], norms["delta"], norms["delta"] / norms["old"]], rel=1e-12)
        assert norms["clipped"] < norms["gradient"]  # the norm of all of them was 0.01 at most


@pytest.mark.parametrize(
    ("name", "words_"), [("gradient-through-time", "no recurrence"), ("bptt", "no recurrence"), ("update", "no update")]
)
def test_a_trace_that_has_nothing_to_show(client: httpx.Client, name: str, words_: str) -> None:
    made = client.post(f"{API}/traces", json=expression("w*x", {"w": 2, "x": 3}, wrt=["w"])).json()
    path = f"{API}/traces/{made['id']}/figures"
    response = client.get(f"{path}/{name}")
    assert response.status_code == 422
    assert words_ in response.json()["detail"]
    assert client.get(f"{path}/bptt", params={"parameter": "w"}).status_code == 200
    assert client.get(f"{path}/bptt", params={"parameter": "x"}).status_code == 422
    assert client.get(f"{path}/bptt", params={"parameter": "y"}).status_code == 404
    assert client.get(f"{path}/nothing").status_code == 422
    assert client.get(f"{API}/traces/sha256:0/figures/{name}").status_code == 404


def test_names_that_others_chose_are_no_markup(client: httpx.Client) -> None:
    hostile = "<a href='x'>w</a>"
    body = {"kind": "graph", "nodes": [{"id": hostile, "value": 2, "role": "parameter"}, {"id": "y", "op": "tanh"}],
            "edges": [{"from": hostile, "to": "y"}]}  # fmt: skip
    document = Document(client.post(f"{API}/traces", json={"program": body}).json())
    assert figure(client, document, "gradient-histogram")["data"][0]["name"] == "&lt;a href='x'&gt;w&lt;/a&gt;"
    assert "<a" not in figure(client, document, "bptt", parameter=0)["layout"]["annotations"][0]["text"]


def test_every_phrase_is_there_in_both_languages_and_used() -> None:
    english, chinese = words.words("en"), words.words("zh")
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(words.__file__).parent.glob("*.py") if path.name != "words.py")
    for key, phrase in english.items():
        assert phrase
        assert chinese[key]
        assert sorted(re.findall(r"{\w+}", phrase)) == sorted(re.findall(r"{\w+}", chinese[key]))
        assert f'"{key}"' in sources or f"'{key}'" in sources, key
