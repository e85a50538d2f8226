"""Trained networks that come with the server, made by scripts/make_checkpoints.py: `index.json` says of each how it was trained, and a
safetensors file beside it, under PyTorch's names, holds its parameters."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def index() -> dict[str, dict[str, Any]]:
    """What is known of each checkpoint, by name: `program`, `step`, `loss`, `validation`, `first_losses`, and `version`, its numbers'."""
    about: dict[str, dict[str, Any]] = json.loads(_file("index.json"))
    return {name: {**entry, "version": version(parameters(name))} for name, entry in about.items()}


@cache
def parameters(name: str) -> bytes:
    """The safetensors file of a checkpoint. Raises FileNotFoundError for one that there is not."""
    return _file(f"{name}.safetensors")


def version(data: bytes) -> str:
    """16 hexadecimal digits of the SHA-256 of a file."""
    return hashlib.sha256(data).hexdigest()[:16]


def _file(name: str) -> bytes:
    return resources.files("server.checkpoints").joinpath(name).read_bytes()
