"""Memory of the fused kernels, used again from one call to the next: only what nobody else can see.

A forward pass takes blocks and keeps them in a `Kept`, the op's residuals; they come back when nobody holds it any more, which is when its
tape goes away. Every thread has its own idle objects.
"""

from __future__ import annotations

from threading import local
from typing import Any

from engine.ops.fused_block import Block, Shape, Work
from engine.ops.fused_plan import Plan, Span
from engine.ops.op import Array

IDLE = 128 * 1024 * 1024  # bytes that may lie idle in a thread; beyond, all are forgotten


class _Idle(local):
    def __init__(self) -> None:
        self.blocks: dict[Shape, list[Block]] = {}
        self.works: dict[Shape, list[Work]] = {}
        self.nbytes = 0

    def count(self, nbytes: int) -> bool:
        """Counts some more bytes. Whether they may lie idle too; if not, all are forgotten."""
        self.nbytes += nbytes
        if self.nbytes > IDLE:
            self.blocks, self.works, self.nbytes = {}, {}, 0
            return False
        return True


_idle = _Idle()


def idle_bytes() -> int:
    """What lies idle in this thread."""
    return _idle.nbytes


def take_block(shape: Shape) -> Block:
    """A block of that shape, its contents being anything."""
    found = _idle.blocks.get(shape)
    if not found:
        return shape.cell(shape)
    block = found.pop()
    _idle.nbytes -= block.nbytes
    return block


def take_work(shape: Shape) -> Work:
    """Working memory for a block of that shape. Give it back with `give_work`."""
    found = _idle.works.get(shape)
    if not found:
        return Work(shape)
    work = found.pop()
    _idle.nbytes -= work.nbytes
    return work


def give_work(work: Work) -> None:
    if _idle.count(work.nbytes):
        _idle.works.setdefault(work.made_for, []).append(work)


class Kept:
    """What a forward pass leaves for the backward one: the plan, and a block for each span.

    watched: where it is a list, each backward pass begins it anew with the gradients of the hidden states, (steps, hidden, rows) a span,
    last span first. Keeping them changes nothing else.
    """

    __slots__ = ("blocks", "plan", "watched")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.blocks: list[Block] = []
        self.watched: list[Array] | None = None

    def __del__(self) -> None:
        for block in self.blocks:
            if _idle.count(block.nbytes):
                _idle.blocks.setdefault(block.made_for, []).append(block)


Part = tuple[Span, int, Shape]


def parts_of(plan: Plan, cell: type[Block], features: int, hidden: int, dtype: Any) -> tuple[Part, ...]:
    """The spans of a plan in the order of the steps, each with the number of rows that go on after it and the shape of its block."""
    key = (cell, features, hidden, dtype)
    found: tuple[Part, ...] | None = plan.parts.get(key)
    if found is None:
        found = plan.parts[key] = tuple(
            (span, going_on, Shape(cell, span.steps, span.rows, features, hidden, dtype)) for span, going_on in plan.spans
        )
    return found
