"""A message that programs can tell too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Told(str):
    """A message in English that says in `code` what it says and in `params` of what, for those who word it themselves.

    A text in every other respect. It stays one through ``str()``, which exceptions apply to what they were raised with; put into another
    text it becomes plain.
    """

    __slots__ = ("code", "params")
    code: str
    params: Mapping[str, Any]

    def __new__(cls, text: str, code: str, /, **params: Any) -> Told:
        told = super().__new__(cls, text)
        told.code, told.params = code, params
        return told

    def __str__(self) -> str:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _told, (str.__str__(self), self.code, dict(self.params))


def after(beginning: str, message: str) -> str:
    """A message with something before it; its code, where it has one, stays."""
    words = f"{beginning}{message}"
    return Told(words, message.code, **message.params) if isinstance(message, Told) else words


def _told(text: str, code: str, params: Mapping[str, Any]) -> Told:
    return Told(text, code, **params)
