"""What a server's processes take together, read from /proc, as Linux has it."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def processes(root: int) -> list[int]:
    """A process and all that come of it, such as a server's workers."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):  # it has ended meanwhile
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def memory(root: int) -> float:
    """MB of memory (resident) of a process and all that come of it; what they share is counted for each."""
    size = 0
    for process in processes(root):
        try:
            lines = (_PROC / str(process) / "status").read_text().splitlines()
        except OSError:
            continue
        size += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return size / 1000


def processor(root: int) -> float:
    """Seconds of processor time that the process alone has taken."""
    user, system = (_PROC / str(root) / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
