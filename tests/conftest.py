"""The order of the tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins, so that with `--no-loadscope-reorder` no process waits for another at the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("web", "tasks"))
