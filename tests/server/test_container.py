"""The container's files: not root, nothing secret, and a grace that is longer than stopping takes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")


def test_the_process_is_not_root() -> None:
    last = DOCKERFILE.split("\nFROM ")[-1]
    users = re.findall(r"^USER (\S+)$", last, re.MULTILINE)
    assert users == ["retrograd"]
    assert "root" not in users
    assert last.index("\nUSER ") < last.index("\nENTRYPOINT ")
    assert "privileged" not in COMPOSE.replace("no-new-privileges", "")


def test_its_versions_are_those_that_were_tested() -> None:
    assert DOCKERFILE.count("--constraint") == 2
    assert "constraints.txt" in DOCKERFILE


def test_no_secret_stands_in_the_files() -> None:
    assert re.findall(r"^ENV .*(TOKEN|SECRET|PASSWORD).*=", DOCKERFILE, re.MULTILINE) == []
    for name in ("RETROGRAD_TOKEN", "POSTGRES_PASSWORD"):
        assert re.search(rf"{name}: \$\{{{name}:\?", COMPOSE)


def test_it_has_time_to_stop() -> None:
    grace = re.search(r"stop_grace_period: (\d+)s", COMPOSE)
    assert grace
    assert int(grace[1]) > 10
