"""Memory of the fused kernels, used again from one call to the next: only what nobody else can see.

A forward pass takes blocks and keeps them in a `Kept`, the op's residuals; they come back when nobody holds it any more, which is when its
tape goes away. Every thread has its own idle objects.
"""

from __future__ import annotations

from threading import local
from typing import Any

from engine.ops.fused_block import Block, Work
from engine.ops.fused_plan import Plan
from engine.ops.op import Array

IDLE = 128 * 1024 * 1024  # bytes that may lie idle in a thread; beyond, all are forgotten


class _Idle(local):
    def __init__(self) -> None:
        self.objects: dict[Any, list[Any]] = {}
        self.nbytes = 0


_idle = _Idle()
Key = tuple[type[Block], int, int, int, Any]  # cell, steps, rows, hidden, dtype


def _take(key: Any) -> Any:
    objects = _idle.objects.get(key)
    if not objects:
        return None
    found = objects.pop()
    _idle.nbytes -= found.nbytes
    return found


def _give(key: Any, thing: Any) -> None:
    _idle.nbytes += thing.nbytes
    if _idle.nbytes > IDLE:
        _idle.objects, _idle.nbytes = {}, 0
        return
    _idle.objects.setdefault(key, []).append(thing)


def idle_bytes() -> int:
    """What lies idle in this thread."""
    return _idle.nbytes


def take_block(key: Key) -> Block:
    """A block of these steps and rows, its contents being anything."""
    found: Block | None = _take(key)
    return found if found is not None else key[0](*key[1:])


def take_work(key: Key) -> Work:
    """Working memory for a block of that key. Give it back with `give_work`."""
    found: Work | None = _take((Work, key))
    return found if found is not None else Work(*key)


def give_work(key: Key, work: Work) -> None:
    _give((Work, key), work)


class Kept:
    """What a forward pass leaves for the backward one: the plan, the packed inputs (size, inputs + 1), a block for each span."""

    __slots__ = ("blocks", "inputs", "plan")

    def __init__(self, plan: Plan, inputs: Array) -> None:
        self.plan, self.inputs = plan, inputs
        self.blocks: list[tuple[Key, Block]] = []

    def __del__(self) -> None:
        for key, block in self.blocks:
            _give(key, block)
