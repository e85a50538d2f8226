"""Writes tests/fixtures/traces: documents of version 1 that every reader to come has to read.

    python scripts/make_trace_fixtures.py

What is there is never written again: that is what the files are for. Where the format gets something new, add a file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from server.programs.expression import trace_expression  # noqa: E402
from server.programs.network import trace_network  # noqa: E402
from server.schemas.expression import ExpressionProgram  # noqa: E402
from server.schemas.network import NetworkProgram  # noqa: E402

FOLDER = ROOT / "tests" / "fixtures" / "traces"
EXPRESSIONS: dict[str, dict[str, Any]] = {
    "expression": {"expression": "tanh(w*x + b)", "inputs": {"w": 0.5, "x": [1, 2], "b": 0}, "wrt": ["w", "b"]},
    "products": {"expression": "softmax(W @ x) @ log(abs(x - 1) + 2)", "inputs": {"W": [[1, 2], [3, -4]], "x": [0.5, 1]}},
    "no-numbers": {"expression": "log(x) / x", "inputs": {"x": [0, -1, 2]}},
}
NETWORKS: dict[str, dict[str, Any]] = {
    "rnn": {"task": "sunspots", "cell": "rnn", "batch_size": 3, "optimizer": {"name": "sgd", "momentum": 0.9}, "step": 2},
    "lstm": {"task": "adding", "cell": "lstm", "example": 1, "clip_norm": 0.01},
    "gru": {"task": "surnames", "cell": "gru", "example": 3},
}


def with_unknown_fields(doc: dict[str, Any]) -> dict[str, Any]:
    """The document as a later writer of version 1 may write it: with more fields wherever there may be some."""
    more = {"from_later": {"list": [1, None, "x"], "number": 1.5}}
    doc = json.loads(json.dumps(doc))
    for part in (
        doc,
        doc["program"],
        doc["events"],
        doc["tensors"],
        doc["tensors"]["statistics"],
        *doc["nodes"],
        *doc["ops"].values(),
        *doc["notes"],
    ):
        part.update(more)
    return doc


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    documents = {name: trace_expression(ExpressionProgram(**program).model_dump()) for name, program in EXPRESSIONS.items()}
    for name, program in NETWORKS.items():
        documents[name] = trace_network(NetworkProgram(hidden_size=2, **program).model_dump())
    documents["unknown-fields"] = with_unknown_fields(documents["expression"])
    for name, doc in documents.items():
        path = FOLDER / f"{name}.json"
        if path.exists():
            print(f"{path.name}: is there, and stays as it is")
        else:
            path.write_text(json.dumps(doc, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
            print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
