"""The page's types of the API are those that its description gives."""

from __future__ import annotations

from scripts.make_api_types import TYPES, generated


def test_the_types_of_the_page_are_those_of_the_api() -> None:
    assert TYPES.read_text(encoding="utf-8") == generated(), "the API has changed: run `python scripts/make_api_types.py`"
