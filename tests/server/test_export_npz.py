"""All numbers of a trace in a file for numpy, without pickle, under names that lead nowhere."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest

from engine.trace import Document
from server.export import FORMATS
from server.export.npz import member
from tests.server.traces import HOSTILE, expression_document, hostile_document, network_document


def read(document: Document) -> dict[str, Any]:
    with np.load(io.BytesIO(FORMATS["npz"].writer()(document)), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_every_number_is_there(cell: str) -> None:
    document = Document(network_document(cell))
    arrays = read(document)
    assert json.loads(str(arrays["trace"])) == {name: document.doc[name] for name in ("schema", "schema_version", "id", "program")}
    for node in document.nodes:
        np.testing.assert_array_equal(arrays[f"value/{node['path']}"], document.value(node["id"]))
        assert arrays[f"value/{node['path']}"].dtype.name == node["dtype"]
        gradient = document.gradient(node["id"])
        assert (f"gradient/{node['path']}" in arrays) == (gradient is not None)
        if gradient is not None:
            np.testing.assert_array_equal(arrays[f"gradient/{node['path']}"], gradient)
        parts = [c for c in document.contributions(node["id"]) if c.array.size <= 4096]
        for part in parts:
            kind = document.doc["events"]["kinds"][document.doc["events"]["kind"][part.event]]
            stored = arrays.get(f"{kind}/{node['path']}/{part.event}")
            if stored is not None:
                np.testing.assert_array_equal(stored, part.array)
    weight = "rnn.weight_hh_l0"
    np.testing.assert_array_equal(arrays[f"update/{weight}/old"] + arrays[f"update/{weight}/delta"], arrays[f"update/{weight}/new"])
    assert arrays["clip/" + next(name.split("/")[1] for name in arrays if name.startswith("clip/")) + "/max_norm"] == 1.0
    np.testing.assert_array_equal(arrays[f"after/{weight}"], arrays[f"update/{weight}/new"])


def test_numbers_that_are_none_come_back() -> None:
    arrays = read(Document(expression_document("log(x) / x", {"x": [0, -1, 1e308]})))
    assert np.isinf(arrays["value/div#0"][0])
    assert np.isnan(arrays["value/div#0"][1])


def test_names_lead_nowhere_when_they_are_unpacked() -> None:
    content = FORMATS["npz"].writer()(Document(hostile_document()))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
    assert len(set(names)) == len(names)
    for name in names:
        assert name.isascii()
        assert name.isprintable()
        assert not name.startswith("/")
        assert not {".", ".."} & set(name.split("/"))
        assert not set(name) & set('\\:*?"<>|')


@pytest.mark.parametrize("word", HOSTILE)
def test_a_path_is_one_name_and_another_path_is_another(word: str) -> None:
    others = [other for other in HOSTILE if other != word]
    assert member(word) not in [member(other) for other in others]
