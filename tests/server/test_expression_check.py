"""An expression is checked while it is typed: what a trace of it would be refused for, and nothing is stored."""

from __future__ import annotations

import httpx
import pytest

from tests.server.helpers import API, expression


@pytest.mark.parametrize(
    ("text", "inputs", "shape"),
    [
        ("tanh(w*x + b)", {"w": 0.5, "x": [1, 2], "b": 0}, [2]),
        ("a = w*x\na*a", {"w": 0.5, "x": 2}, []),
        ("w @ x", {"w": [[1, 2]], "x": [3, 4]}, [1]),
    ],
)
def test_what_can_be_computed_has_no_error(client: httpx.Client, text: str, inputs: dict[str, object], shape: list[int]) -> None:
    answer = client.post(f"{API}/expressions/check", json=expression(text, inputs))
    assert (answer.status_code, answer.json()) == (200, {"schema_version": 1, "errors": [], "shape": shape})


@pytest.mark.parametrize(
    ("text", "inputs", "line", "column"),
    [
        ("tanh(w) + nosuch(w)", {"w": 1}, 1, 11),
        ("a = w*x\nh = a +", {"w": 1, "x": 1}, 2, None),
        ("a = w + x\nh = a*w\nh @ x", {"w": [1, 2], "x": [[1, 2], [1, 2], [1, 2]]}, 3, 1),
    ],
)
def test_errors_are_those_of_the_trace(client: httpx.Client, text: str, inputs: dict[str, object], line: int, column: int | None) -> None:
    checked = client.post(f"{API}/expressions/check", json=expression(text, inputs))
    traced = client.post(f"{API}/traces", json=expression(text, inputs))
    assert (checked.status_code, traced.status_code) == (200, 422)
    assert checked.json()["shape"] is None
    found = checked.json()["errors"]
    assert found == traced.json()["errors"]
    assert found[0]["line"] == line
    assert column is None or found[0]["column"] == column


def test_nothing_is_stored(client: httpx.Client) -> None:
    body = expression("w*w + 0.123456", {"w": 1})
    assert client.post(f"{API}/expressions/check", json=body).status_code == 200
    assert client.post(f"{API}/traces", json=body).status_code == 201


def test_inputs_are_validated(client: httpx.Client) -> None:
    answer = client.post(f"{API}/expressions/check", json=expression("w*w", {"w": [[1], [1, 2]]}))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/program/inputs/w"
