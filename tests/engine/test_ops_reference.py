"""docs/ops.md says what the definitions say, about every operation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.ops import REGISTRY

ROOT = Path(__file__).resolve().parents[2]


def test_every_operation_is_documented() -> None:
    text = (ROOT / "docs" / "ops.md").read_text(encoding="utf-8")
    assert [name for name, op in REGISTRY.items() if not op.hidden and f"\n## {name}\n" not in text] == []


def test_the_page_is_what_the_definitions_say() -> None:
    done = subprocess.run([sys.executable, "scripts/make_ops_reference.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
