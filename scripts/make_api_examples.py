"""Writes server/examples.json, the examples of answers in the API's description, from what a server of its own answers.

A test asks again and compares. With the project installed: ``python scripts/make_api_examples.py``.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

FILE = ROOT / "server" / "examples.json"
API = "/api/v1"
# Numbers that every machine computes alike, to the last digit: sums and products of few bits.
EXPRESSION = {"kind": "expression", "expression": "y = w*x + b; L = sum(y)", "inputs": {"w": 0.5, "x": [1, 2], "b": 0}, "wrt": ["w", "b"]}
WORDS = "word,sort\n" + "".join(f"{'ab'[i % 2]}{i},{['even', 'odd'][i % 2]}\n" for i in range(20))
RECURRENCE = {
    "kind": "graph",
    "nodes": [
        {"id": "w", "value": [[0.5]], "role": "parameter"}, {"id": "h0", "value": [[1]]},
        {"id": "h1", "op": "mul", "value": [[0.5]], "label": "h", "scope": "rnn/t=1", "time": 1},
        {"id": "h2", "op": "mul", "value": [[0.25]], "label": "h", "scope": "rnn/t=2", "time": 2},
        {"id": "L", "op": "sum", "value": 0.25},
    ],
    "edges": [{"from": a, "to": b} for a, b in (("h0", "h1"), ("w", "h1"), ("h1", "h2"), ("w", "h2"), ("h2", "L"))],
}  # fmt: skip
RUN = {"task": "adding", "cell": "rnn", "hidden_size": 2, "batch_size": 2}
SWEEP = {"program": RUN, "space": {"hidden_size": {"choices": [1, 2]}}, "steps": 1, "trials": 2, "sampler": "grid", "validate_every": 1}
HEADER = b'{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'
UPLOAD = len(HEADER).to_bytes(8, "little") + HEADER + bytes(16)  # safetensors
MOMENT = re.compile(r"[rdls]_[0-9a-f]+|[0-9a-f]{32}|20\d\d-\d\d-\d\dT.*")  # numbers of runs and requests, and times: others every time
Example = dict[str, Any]


class Collector:
    """Asks, and keeps each answer as the example of an operation (``answers``) or of a status (``problems``)."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.answers: dict[str, dict[str, dict[str, Example]]] = {}
        self.problems: dict[str, Example] = {}

    def ask(self, name: str, method: str, path: str, body: Any = None, *, summary: str = "", **cut: int) -> Any:
        """The answer of an operation. cut: of a list by its name, so many items are kept; `everything`, so many members."""
        sent: dict[str, Any] = {} if body is None else {"json": body}
        if isinstance(body, bytes):
            sent = {"content": body, "headers": {"Content-Type": "application/octet-stream"}}
        response = self.client.request(method, f"{API}{path}", **sent)
        assert response.is_success, f"{name}: {response.text}"
        form = response.headers["content-type"].partition(";")[0]
        whole = timeless(response.json()) if form.endswith("json") else response.text
        value = whole
        for member, most in cut.items():
            value = dict(list(value.items())[:most]) if member == "everything" else {**value, member: value[member][:most]}
        example = {**({"summary": summary} if summary else {}), "value": value}
        self.answers.setdefault(name, {}).setdefault(str(response.status_code), {})[form] = example
        return whole

    def alike(self, name: str, status: int, example: Example) -> None:
        """An answer that is written once for several operations."""
        self.answers.setdefault(name, {})[str(status)] = {"application/json": example}

    def fail(self, status: int, method: str, path: str, **sent: Any) -> None:
        """The answer to a request that fails."""
        response = self.client.request(method, path, **sent)
        assert response.status_code == status, f"{method} {path}: {response.text}"
        self.problems[str(status)] = {"value": response.json()}


def timeless(value: Any) -> Any:
    """An answer with a time in place of the one that a run took, which is another every time."""
    if isinstance(value, dict):
        return {key: 0.25 if key == "seconds" and part is not None else timeless(part) for key, part in value.items()}
    return [timeless(part) for part in value] if isinstance(value, list) else value


def collect(client: httpx.Client) -> Mapping[str, Any]:
    """Examples of what a server answers that nobody has asked for anything before."""
    api = Collector(client)
    document = api.ask("createTrace", "POST", "/traces", {"program": EXPRESSION})
    trace, shared = document["id"], {"trace": {"summary": "the trace of a short expression", "value": document}}
    for name, status in (("createTrace", 201), ("createTrace", 200), ("readTrace", 200), ("readOpening", 200), ("traceStep", 200)):
        api.alike(name, status, {"$ref": "#/components/examples/trace"})  # the trace of a network is too long for an example
    api.ask("listTraces", "GET", "/traces?limit=1")
    for name, method in (("pinTrace", "PUT"), ("readPin", "GET")):
        api.ask(name, method, f"/traces/{trace}/pin")
    api.ask("explainNode", "GET", f"/traces/{trace}/nodes/w?index=")
    api.ask("checkGradient", "POST", f"/traces/{trace}/nodes/w/check", {"index": []})
    api.ask("readTensor", "GET", f"/traces/{trace}/tensors/0")
    edited = api.ask("editTrace", "POST", f"/traces/{trace}/what-if", {"edits": [{"node": "w", "value": 1.5}]})["id"]
    api.alike("editTrace", 200, {"$ref": "#/components/examples/trace"})
    api.ask("compareTraces", "GET", f"/traces/{trace}/diff/{edited}")
    for name in ("dot", "mermaid", "graphml", "model-explorer"):
        api.ask("exportTrace", "GET", f"/traces/{trace}/export/{name}")
    recurrence = client.post(f"{API}/traces", json={"program": RECURRENCE}).json()["id"]
    api.ask("itemiseGradients", "GET", f"/traces/{recurrence}/bptt")
    api.ask("drawTrace", "GET", f"/traces/{recurrence}/figures/gradient-through-time")
    wrong = {"kind": "expression", "expression": "tahn(w*x)", "inputs": {"w": 0.5, "x": 2}}
    api.ask("checkExpression", "POST", "/expressions/check", {"program": wrong})
    api.ask("listCheckpoints", "GET", "/checkpoints", summary="the first checkpoint", items=1)
    api.ask("readTraceSchema", "GET", "/schema/trace-1.json", summary="its first members", everything=4)
    api.ask("listTasks", "GET", "/tasks", summary="the first task", items=1)
    api.ask("readTask", "GET", "/tasks/adding?length=100")
    api.ask("listExamples", "GET", "/tasks/surnames/examples?limit=2")
    api.ask("listOperations", "GET", "/ops", summary="the first two operations", items=2)
    run = api.ask("createRun", "POST", "/runs", {"program": RUN})["id"]
    trained = api.ask("trainRun", "POST", f"/runs/{run}/steps", {"count": 1})
    api.alike("trainRun", 202, {"summary": "it may be `training` still", "value": trained})
    api.ask("changeRun", "PATCH", f"/runs/{run}", {"name": "two units"})
    api.ask("editRun", "POST", f"/runs/{run}/edits", {"lr": 0.005})
    for verb in ("pause", "resume", "cancel"):  # of a run that is at rest already
        api.ask(f"{verb}Run", "POST", f"/runs/{run}/{verb}")
    api.ask("readRun", "GET", f"/runs/{run}")
    api.ask("readStep", "GET", f"/runs/{run}/steps/1")
    api.ask("readHistory", "GET", f"/runs/{run}/history?columns=loss&columns=lr")
    api.ask("listObservations", "GET", f"/runs/{run}/observations?limit=1")
    api.ask("listRuns", "GET", "/runs?limit=1")
    api.ask("drawLoss", "GET", f"/runs/{run}/figures/loss")
    api.ask("readMetrics", "GET", f"/runs/{run}/metrics")
    api.ask("listMistakes", "GET", f"/runs/{run}/mistakes?limit=1")
    tested = api.ask("testRun", "POST", f"/runs/{run}/test", {"step": "last"})
    api.alike("testRun", 200, {"value": tested})
    api.ask("readTest", "GET", f"/runs/{run}/test")
    api.ask("exportRun", "GET", f"/runs/{run}/export?format=csv")
    api.ask("exportRun", "GET", f"/runs/{run}/export?format=json", summary="its first members", everything=4)
    small = {"runs": [run], "resolution": 2, "examples": 4, "span": 0.5}
    made = api.ask("createLandscape", "POST", "/landscapes", small)
    api.alike("createLandscape", 202, {"summary": "it may be `computing` still", "value": made})
    api.ask("readLandscape", "GET", f"/landscapes/{made['id']}")
    api.ask("drawLandscape", "GET", f"/landscapes/{made['id']}/figure")
    sweep = api.ask("createSweep", "POST", "/sweeps", SWEEP)["id"]
    while client.get(f"{API}/sweeps/{sweep}").json()["status"] == "running":
        time.sleep(0.1)
    for name, method, end in (
        ("cancelSweep", "POST", "/cancel"),
        ("readSweep", "GET", ""),
        ("drawImportance", "GET", "/figures/importance"),
    ):
        api.ask(name, method, f"/sweeps/{sweep}{end}")
    api.ask("listSweeps", "GET", "/sweeps")
    letters = client.post(f"{API}/runs", json={"program": {"task": "brackets", "hidden_size": 2}}).json()["id"]
    api.ask("drawConfusion", "GET", f"/runs/{letters}/figures/confusion")
    link = api.ask("createLink", "POST", "/links", {"state": {"address": "#/network?v=2&at=91"}})
    api.alike("createLink", 200, {"value": link})
    api.ask("readLink", "GET", f"/links/{link['id']}")
    upload = api.ask("createUpload", "POST", "/uploads", UPLOAD)
    api.alike("createUpload", 200, {"value": upload})
    api.ask("listUploads", "GET", "/uploads")
    api.ask("readUpload", "GET", f"/uploads/{upload['id']}")
    api.ask("readUploadedTensor", "GET", f"/uploads/{upload['id']}/tensors/w")
    dataset = api.ask("createDataset", "POST", "/datasets", {"text": WORDS})["id"]
    choice = {"id": dataset, "kind": "text", "text": "word", "label": "sort"}
    api.ask("chooseOfDataset", "POST", f"/datasets/{dataset}/task", {"dataset": choice})
    api.ask("changeDataset", "PATCH", f"/datasets/{dataset}", {"kept": True})
    api.ask("readDataset", "GET", f"/datasets/{dataset}")
    api.ask("listDatasets", "GET", "/datasets")
    api.ask("readLimits", "GET", "/limits", summary="the first five limits", everything=6)
    api.ask("readHealth", "GET", "/health")
    _problems(api, trace)
    return {"shared": shared, "answers": api.answers, "problems": api.problems}


def _problems(api: Collector, trace: str) -> None:
    traces, json_type = f"{API}/traces", {"Content-Type": "application/json"}
    api.fail(400, "POST", traces, content=b'{"program": NaN}', headers=json_type)
    api.fail(403, "POST", traces, json={"program": EXPRESSION}, headers={"Origin": "http://example.com"})
    api.fail(404, "GET", f"{API}/runs/r_0")
    api.fail(405, "PUT", traces, json={})
    api.fail(406, "GET", f"{traces}/{trace}", headers={"Accept": "text/html"})
    api.fail(413, "POST", traces, content=b" " * (2**20 + 1), headers=json_type)
    api.fail(415, "POST", traces, content=b"{}", headers={"Content-Type": "text/plain"})
    api.fail(421, "GET", traces, headers={"Host": "example.com"})
    api.fail(422, "POST", traces, json={"program": {**EXPRESSION, "expression": "tanh(w*x"}})


def settled(new: Any, old: Any) -> Any:
    """New answers with the numbers and times that the old ones have: a file that says the same stays the same."""
    if isinstance(new, dict) and isinstance(old, dict):
        return {key: settled(value, old.get(key)) for key, value in new.items()}
    if isinstance(new, list) and isinstance(old, list):
        return [settled(value, old[k] if k < len(old) else None) for k, value in enumerate(new)]
    momentary = isinstance(new, str) and isinstance(old, str) and MOMENT.fullmatch(new) and MOMENT.fullmatch(old)
    return old if momentary else new


def main() -> None:
    from tests.e2e.browser import serving  # a server of its own; no browser is needed

    os.environ["RETROGRAD_QUICK_SECONDS"] = "30"  # what is asked for is done when it is answered
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as url,
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        answers = settled(json.loads(json.dumps(collect(client))), json.loads(FILE.read_text(encoding="utf-8")))
        FILE.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
