"""Operations as programs of others ask for them."""

from __future__ import annotations

from engine import TapeError
from engine.ops import REGISTRY
from engine.told import Told, after

# What operations raise for inputs and attributes that they cannot take.
REFUSALS = (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError, TapeError)


def check_count(name: str, given: int) -> None:
    """Raises ValueError unless an operation takes so many inputs."""
    names = REGISTRY[name].inputs
    any_number = names[-1].startswith("*")
    if given < len(names) if any_number else given != len(names):
        expected = "one or more" if any_number else f"{len(names)} ({', '.join(names)})"
        words = f"{name} was given {given} inputs in its parentheses; expected {expected}"
        raise ValueError(Told(words, "operation-inputs", name=name, given=given, inputs=", ".join(names)))


def without_signature(name: str, error: Exception) -> str:
    """The op's own message; Python's words for a missing or unknown keyword name inner functions, which mean nothing to a reader."""
    message = str(error)
    if isinstance(error, TypeError) and "()" in message:
        return f"{name}:{message.partition('()')[2]}"
    return message if message.startswith(name) else after(f"{name}: ", message)
