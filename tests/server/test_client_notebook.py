"""The notebook about the client: it is kept plain, and every cell of it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.server.helpers import Start

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "notebooks" / "retrograd-client.ipynb"
PLOTLY = "application/vnd.plotly.v1+json"


def test_the_notebook_is_kept_without_what_it_said() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 10
    assert [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None or cell["metadata"]] == []
    nbformat.validate(nbformat.reads(text, as_version=4))


def test_the_notebook_runs(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    with start(workers=2) as client:
        monkeypatch.setenv("RETROGRAD_URL", str(client.base_url))
        NotebookClient(notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []
    figures = [output.data[PLOTLY] for output in outputs if PLOTLY in output.get("data", {})]
    assert len(figures) == 2
    assert all(figure["data"] and figure["layout"] for figure in figures)
    said = "".join(output.get("text", "") for output in outputs)
    assert "after step 200:" in said
    assert "pointer: /program/cell" in said
