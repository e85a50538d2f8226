"""Every operation that the description has, asked in every way that it allows: no 500, no answer that is not described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.openapi import OPERATIONS
from tests.server.helpers import API, Start, create_run, expression
from tests.server.upload_files import npy_bytes

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


ENDLESS = "followRun"  # a stream stays open: tests/server/test_run_events.py reads it
KEPT = {"deleteTrace", "deleteRun", "deleteUpload"}  # which would leave the others nothing to find


class Described(NamedTuple):
    """The description that a server gives, and what there is to find on it."""

    schema: schemathesis.openapi.OpenApiSchema
    things: dict[str, Any]


@pytest.fixture(scope="module")
def described(start: Start) -> Iterator[Described]:
    with start(compute_seconds=0.5) as client:
        trace = client.get(f"{API}/opening").json()["id"]
        other = client.post(f"{API}/traces", json=expression("tanh(w*x)", {"w": 1, "x": [1, 2]})).json()["id"]
        run = create_run(client)
        client.post(f"{API}/runs/{run}/steps", json={"count": 2}).raise_for_status()
        file = {"content": npy_bytes([1.0]), "headers": {"Content-Type": "application/octet-stream"}}
        upload = client.post(f"{API}/uploads", **file).json()["id"]
        things = {
            "upload_id": upload,
            "tensor": "array",
            "trace_id": trace,
            "other_id": other,
            "run_id": run,
            "name": "surnames",
            "k": 1,
            "node": "head.weight",
            "reference": 3,
        }
        yield Described(schemathesis.openapi.from_url(f"{client.base_url}{API}/openapi.json"), things)


@pytest.mark.parametrize("name", sorted({operation.name for operation in OPERATIONS.values()} - {ENDLESS}))
def test_what_is_answered_is_described(described: Described, name: str) -> None:
    """Not by Schemathesis' own marks, whose way into pytest ends before pytest 9. Half of the requests name what there is."""

    @given(case=described.schema.find_operation_by_id(name).as_strategy(), real=st.booleans())
    @settings(
        max_examples=16, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def ask(case: schemathesis.Case, real: bool) -> None:
        if real and name not in KEPT:
            case.path_parameters.update({key: value for key, value in described.things.items() if key in case.path_parameters})
        if name == "trainRun" and isinstance(case.body, dict) and case.body.get("count") in range(1, 10_001):
            case.body["count"] = 1  # nobody waits for more
        case.call_and_validate(checks=CHECKS, timeout=60)

    ask()


def test_every_route_is_described_by_name(described: Described) -> None:
    """A route that is not in OPERATIONS has no stable id, and nothing says what it answers."""
    operations = {operation.ok().definition.raw["operationId"] for operation in described.schema.get_all_operations()}
    assert operations == {operation.name for operation in OPERATIONS.values()}
