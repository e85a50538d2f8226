"""What a request holds that is not as expected is said in words of our own, and never repeated."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from server.schemas.requests import CheckRequest, RunRequest, StepsRequest, TraceRequest, WhatIfRequest
from server.tasks import NAMES
from server.validation import WORDS, message
from tests.server.helpers import API

PROBE = "QzxProbe"
ADDING = {"task": "adding", "cell": "rnn", "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9}, "data": "0" * 16, "clip_norm": 1.0}
BODIES: list[tuple[type[BaseModel], Any]] = [
    (TraceRequest, {"program": {"kind": "expression", "expression": "w*x", "inputs": {"w": 1, "x": [1, 2]}, "wrt": ["w"]}}),
    (TraceRequest, {"program": {"kind": "network", **ADDING, "step": 1, "example": 0}}),
    (TraceRequest, {"program": {"kind": "network", "bidirectional": True, "optimizer": {"name": "adamw", "betas": [0.9, 0.99]},
                                "sequences": {
        "kind": "classification", "examples": [{"tokens": ["a", "b"], "target": 0}, {"tokens": ["b"], "target": 1}]}}}),
    (TraceRequest, {"program": {"kind": "graph", "nodes": [{"id": "w", "value": 2}, {"id": "y", "op": "exp", "time": 1}],
                                "edges": [{"from": "w", "to": "y", "port": 0}], "loss": "y", "tolerance": 1e-6}}),
    (TraceRequest, {"program": {"kind": "what-if", "parent": "sha256:" + "0" * 64, "edits": [{"node": "w", "index": [0], "value": 2}],
                                "program": {"kind": "expression", "expression": "w*x", "inputs": {"w": 1, "x": 2}}}}),
    (RunRequest, {"program": ADDING}), (StepsRequest, {"count": 1}), (CheckRequest, {"index": [0]}),
    (WhatIfRequest, {"edits": [{"node": 0, "value": 1}]}),
]  # fmt: skip
WRONG = [
    None,
    True,
    1.5,
    -1,
    0,
    10**12,
    10**30,
    "",
    PROBE,
    PROBE * 2000,
    "null",
    [],
    [PROBE],
    [1] * 100_000,
    {},
    {PROBE: PROBE},
    float("inf"),
]


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*place, key))


def changed(body: Any, place: tuple[Any, ...], wrong: Any) -> Any:
    """The body with something else at a place; `...` takes it away, and an object with a probe is added to."""
    body = copy.deepcopy(body)
    if not place:
        return wrong
    parent = body
    for key in place[:-1]:
        parent = parent[key]
    if wrong is ...:
        del parent[place[-1]]
    elif wrong == {PROBE: PROBE} and isinstance(parent[place[-1]], dict):
        parent[place[-1]] |= wrong
    else:
        parent[place[-1]] = wrong
    return body


def test_whatever_is_wrong_is_said_in_our_words() -> None:
    """Every value of every kind of body, replaced by values of every kind and size."""
    met = set()
    for model, body in BODIES:
        for place in places(body):
            for wrong in [*WRONG, ...] if place else WRONG:
                try:
                    model.model_validate(changed(body, place, wrong))
                except ValidationError as error:
                    for part in error.errors():
                        said = message(part)  # type: ignore[arg-type]  # it is a mapping
                        assert part["type"] in WORDS, f"{part['type']}: say it in server/validation.py ({part['msg']})"
                        assert PROBE not in said
                        assert part["type"] == "value_error" or said != part["msg"]
                        met.add(part["type"])
    unmet = set(WORDS) - met
    assert unmet <= {"model_attributes_type", "model_type", "int_parsing", "float_parsing", "bool_type", "bool_parsing", "finite_number",
                     "int_parsing_size"}, unmet  # fmt: skip


PROGRAM = {"kind": "network", "task": "surnames"}


@pytest.mark.parametrize(
    ("program", "pointer", "said"),
    [
        ({"kind": "expression", "inputs": {"w": 1}}, "/program/expression", "expression is missing; add it"),
        ({**PROGRAM, "hidden_size": "16"}, "/program/hidden_size", None),
        ({**PROGRAM, "hidden_size": "many"}, "/program/hidden_size", "a text was given; expected a whole number"),
        ({**PROGRAM, "hidden_size": None}, "/program/hidden_size", "null was given; expected a whole number"),
        ({**PROGRAM, "hidden_size": 1.5}, "/program/hidden_size", "a number was given; expected a whole number, without a fraction"),
        ({**PROGRAM, "hidden_size": 0}, "/program/hidden_size", "the number is out of range; give one that is at least 1"),
        ({**PROGRAM, "hiden_size": 3}, "/program/hiden_size", "there is no member of this name here; leave it out, or mind its spelling"),
        ({**PROGRAM, "cell": "lsmt"}, "/program/cell", "a text was given; did you mean lstm? expected is one of rnn, lstm, gru"),
        ({**PROGRAM, "optimizer": {"lr": 1}}, "/program/optimizer", "name is missing, which says what this is; add it"),
        ({**PROGRAM, "optimizer": []}, "/program/optimizer", "a list was given; expected an object"),
        ({"kind": "netwrok"}, "/program", "kind is none of expression, network, graph, what-if; did you mean network? give one of them"),
        ({**PROGRAM, "task": "surname"}, "/program/task",
         f"there is no such task; did you mean surnames? the tasks are {', '.join(NAMES)}"),
        ({"kind": "expression", "expression": "", "inputs": {"w": 1}}, "/program/expression",
         "0 characters were given; expected at least 1"),
        ({"kind": "expression", "expression": "tahn(w)", "inputs": {"w": 1}}, "/program/expression",
         "the operation 'tahn' is not known; did you mean tanh? GET /api/v1/ops lists all"),
        ({"kind": "expression", "expression": "qqq(w)", "inputs": {"w": 1}}, "/program/expression",
         "the operation 'qqq' is not known; GET /api/v1/ops lists all"),
        ({"kind": "expression", "expression": "weigth*2", "inputs": {"weight": 1}}, "/program/expression",
         "the name 'weigth' has no value; did you mean weight? names with a value: weight"),
        ({"kind": "graph", "nodes": [{"id": "w", "value": 1}, {"id": "y", "op": "sigmiod"}], "edges": [{"from": "w", "to": "y"}]},
         "/program/nodes/1/op", "there is no operation of this name; did you mean sigmoid? GET /api/v1/ops lists all"),
    ],
)  # fmt: skip
def test_what_is_said(client: httpx.Client, program: Any, pointer: str, said: str | None) -> None:
    response = client.post(f"{API}/traces", json={"program": program})
    if said is None:
        assert response.status_code in (200, 201)  # a number in quotes is one
        return
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["pointer"], error["detail"]) == (pointer, said)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("nodes/rnn.weight_hh_l", "rnn.weight_hh_l0"), ("export/mermiad", "mermaid"), ("figures/gradient-histogramm", "gradient-histogram"),
        ("bptt?parameter=head.wieght", "head.weight"), ("figures/bptt?parameter=rnn.bais_hh_l0", "rnn.bias_hh_l0"),
        ("tensors/0?format=nyp", "npy"), ("?scope=rnn/t=99", "rnn/t=9"),
    ],
)  # fmt: skip
def test_what_was_meant_is_named(client: httpx.Client, path: str, meant: str) -> None:
    trace = client.get(f"{API}/opening").json()
    path = path.replace("t=99", "t=11")  # the opening's name is shorter
    response = client.get(f"{API}/traces/{trace['id']}/{path}" if path[0] != "?" else f"{API}/traces/{trace['id']}{path}")
    assert response.status_code in (404, 422)
    told = response.json()
    assert f"did you mean {meant}" in told["detail"] or ("scope" in path and "did you mean rnn/t=" in told["detail"]), told


def test_a_node_is_found_by_its_label(client: httpx.Client) -> None:
    body = {"program": {"kind": "expression", "expression": "hidden = tanh(w*x); (hidden - 1)**2", "inputs": {"w": 1, "x": 2}}}
    trace = client.post(f"{API}/traces", json=body).json()["id"]
    response = client.get(f"{API}/traces/{trace}/nodes/hidden")
    assert (response.status_code, "did you mean tanh#0?" in response.json()["detail"]) == (404, True)


def test_edits_of_a_node_that_there_is_not_name_the_nearest(client: httpx.Client) -> None:
    trace = client.get(f"{API}/opening").json()["id"]
    response = client.post(f"{API}/traces/{trace}/what-if", json={"edits": [{"node": "head.bais", "value": 0}]})
    assert response.status_code == 422
    assert "did you mean head.bias?" in response.json()["errors"][0]["detail"]


@pytest.mark.parametrize(("path", "status"), [(f"{API}/traces", 405), (f"{API}/nothing", 404), (f"{API}/opening", 405)])
@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_wrong_address_or_method_is_said_before_a_wrong_body(
    client: httpx.Client, method: str, path: str, status: int, headers: dict[str, str]
) -> None:
    response = client.request(method, path, content=b"{no json", headers=headers)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert ("allow" in response.headers) == (status == 405)


def test_a_large_body_for_no_address_is_answered_too(client: httpx.Client) -> None:
    response = client.post(f"{API}/nothing", content=b"x" * 2**22)
    assert response.status_code == 404
    assert client.get(f"{API}/health").status_code == 200


@pytest.mark.parametrize(
    ("program", "pointer"),
    [
        ({"kind": "graph", "nodes": [1] * 200_000, "edges": []}, "/program/nodes/0"),
        ({"kind": "graph", "nodes": [{"id": "w"}], "edges": [1] * 200_000}, "/program/edges/0"),
        ({"kind": "network", "sequences": {"kind": "regression", "examples": [{"tokens": [1] * 200, "target": 0}] * 200}},
         "/program/sequences/examples/0/tokens/0"),
        ({"kind": "expression", "expression": "w", "inputs": {f"x{n}": {} for n in range(50_000)}}, ""),
        ({"kind": "expression", "expression": "w", "inputs": {"w": 1}, **{f"x{n}": 1 for n in range(50_000)}}, ""),
    ],
)  # fmt: skip
def test_a_body_full_of_mistakes_is_answered_shortly(client: httpx.Client, program: dict[str, Any], pointer: str) -> None:
    response = client.post(f"{API}/traces", json={"program": program})
    assert response.status_code == 422
    assert len(response.content) < 2_000
    assert [part["pointer"] for part in response.json()["errors"]] == [pointer]
    assert pointer or " things in this request are not as expected" in response.json()["detail"]


def test_a_few_mistakes_are_all_listed(client: httpx.Client) -> None:
    program = {"kind": "expression", "expression": "w", "inputs": {"w": 1}, **{f"x{n}": 1 for n in range(100)}}
    response = client.post(f"{API}/traces", json={"program": program})
    assert [part["pointer"] for part in response.json()["errors"]] == [f"/program/x{n}" for n in range(100)]


def test_a_truth_value_that_is_expected_is_named(client: httpx.Client) -> None:
    trace = client.get(f"{API}/opening").json()["id"]
    response = client.post(f"{API}/traces/{trace}/what-if", json={"edits": [{"zero_grad": True}]})
    assert response.json()["detail"] == "true or false was given; expected false"
