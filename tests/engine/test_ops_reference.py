"""docs/ops.md says what the definitions say, about every operation."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np

from engine import Tensor, apply
from engine.ops import REGISTRY
from engine.ops.catalogue import catalogue
from engine.refusals import options

ROOT = Path(__file__).resolve().parents[2]


def test_every_operation_is_documented() -> None:
    text = (ROOT / "docs" / "ops.md").read_text(encoding="utf-8")
    assert [name for name, op in REGISTRY.items() if not op.hidden and f"\n## {name}\n" not in text] == []


def test_the_page_is_what_the_definitions_say() -> None:
    done = subprocess.run([sys.executable, "scripts/make_ops_reference.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_attribute_is_documented_with_its_default_and_every_op_in_numbers() -> None:
    text = (ROOT / "docs" / "ops.md").read_text(encoding="utf-8")
    sections = dict(part.partition("\n")[::2] for part in text.split("\n## ")[1:])
    for name, op in REGISTRY.items():
        if op.hidden:
            continue
        if op.kind == "elementwise":
            options = {key: f"={value!r}" for key, value in op.attributes.items()}
        else:
            given = inspect.signature(op.forward).parameters.values()
            options = {p.name: "" if p.default is p.empty else f"={p.default!r}" for p in given if p.kind is p.KEYWORD_ONLY}
        for key, default in options.items():
            assert f"\n- `{key}{default}`: " in sections[name], f"docs/ops.md: {name} lacks its attribute {key}"
        assert "With numbers:" in sections[name], f"docs/ops.md: {name} is not shown in numbers"
        assert sections[name].count("\nNo derivative at") == len(op.kinks)
        assert ("Refuses, for example" in sections[name]) == bool(op.errors)


def test_the_catalogue_has_every_attribute_with_type_default_and_meaning() -> None:
    listed = {entry["name"]: entry["attributes"] for entry in catalogue()}
    for name, op in REGISTRY.items():
        if not op.hidden:
            assert [(one["name"], one["default"]) for one in listed[name]] == [
                (key, None if default is inspect.Parameter.empty else default) for key, default in options(op).items()
            ]
            assert all(one["types"] and one["meaning"] for one in listed[name]), name
    assert listed["conv1d"][0] == {
        "name": "stride", "types": ["integer"], "required": False, "default": 1, "meaning": "step between outputs"
    }  # fmt: skip
    assert [one["name"] for one in listed["reshape"] if one["required"]] == ["shape"]


def test_a_probability_of_0_said_to_be_impossible_costs_nothing() -> None:
    """The departure from PyTorch that docs/ops.md names."""
    with np.errstate(all="ignore"):
        assert float(apply("kl_div", Tensor([-np.inf]), Tensor([0.0]), reduction="sum").item()) == 0.0
