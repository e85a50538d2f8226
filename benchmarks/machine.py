"""The machine and the versions, without any name of a host."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

DISTRIBUTIONS = ("numpy", "scipy", "torch", "autograd", "mygrad", "jax", "jaxlib", "micrograd")


def processor() -> str:
    """The model as the system tells it; the architecture where it does not."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0]} ({platform.machine()})" if models else platform.processor() or platform.machine()


def blas() -> str:
    """The library behind numpy's products."""
    found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{found['name']} {found['version']}"


def describe() -> list[tuple[str, str]]:
    """What to know about a measurement, as (what, value)."""
    versions = []
    for name in DISTRIBUTIONS:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} not installed")
    return [
        ("date", f"{datetime.now(UTC):%Y-%m-%d}"),
        ("processor", f"{processor()}, {os.cpu_count()} cores, of which one is used"),
        ("system", f"{platform.system()} {platform.release().partition('-')[0]}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("BLAS of numpy", blas()),
        ("versions", ", ".join(versions)),
    ]
