"""What a recording went through, event by event: made when somebody asks, out of the little that is kept while it runs.

The forward events stand in the record of the nodes, and a backward sweep keeps its contributions in the order in which they were made;
all the rest follows from the order of the nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from engine.ops.op import Array
    from engine.tape import Tape

Phase = Literal["forward", "loss", "backward", "update"]
LARGE = 4096  # elements of a product of matrices, as a contribution to a weight, beyond which it is kept as its two factors
LOCK: Any = np.ndarray.setflags  # LOCK(array, False) makes it read-only, in half the time that ``array.flags.writeable = False`` takes


class Event(NamedTuple):
    """One thing that happened in a recording.

    kind: ``"forward"``: a node was computed; ``"seed"``: a backward sweep began at a node; ``"vjp"``: a node sent a contribution to its
    input; ``"unbroadcast"``: that was summed over the axes that broadcasting had stretched; ``"accumulate"``: it was added to what had
    arrived before; ``"zero_grad"``, ``"update"`` and what else an optimizer did.
    phase: of the training step. node: the node it is about, -1 for none. port: which of the node's inputs. target: the node that received
    something. array: the numbers, read-only (a `Placed` or `Product` where they are kept small: ``.whole()`` gives them), or None.
    terms: of an update, by name, or None.
    """

    kind: str
    phase: Phase
    node: int
    port: int = -1
    target: int = -1
    array: Any = None
    terms: Any = None


def locked(value: Any) -> Any:
    """A recorded value as people get it: an array that they cannot change."""
    if type(value) is np.ndarray:
        LOCK(value, False)
    return value


class Placed:
    """A contribution that is zero but at a basic index, where it is `part`: kept small, made whole by whoever reads it."""

    __slots__ = ("index", "like", "part")

    def __init__(self, part: Any, index: Any, like: Array) -> None:
        self.part, self.index, self.like = part, index, like

    def whole(self) -> Array:
        """The contribution in the shape of its target."""
        array = np.zeros(self.like.shape, self.like.dtype)
        array[self.index] = self.part
        array.flags.writeable = False
        return array


class Product:
    """A contribution that is a product of matrices of its target's dtype, left^T right: kept as these, multiplied by whoever reads it."""

    __slots__ = ("left", "right")

    def __init__(self, left: Array, right: Array) -> None:
        self.left, self.right = locked(left), locked(right)

    def whole(self) -> Array:
        """The contribution in the shape of its target."""
        array: Array = self.left.T.dot(self.right)
        array.flags.writeable = False
        return array

    def into(self, out: Array) -> Array:
        """The same in memory that is there already."""
        return np.dot(self.left.T, self.right, out)


class Summed:
    """A contribution that had to be summed over broadcast axes: as it was, and as it reached its node."""

    __slots__ = ("before", "contribution")

    def __init__(self, before: Array, contribution: Array) -> None:
        self.before, self.contribution = before, contribution


class Sweep:
    """A backward sweep at TRACE.

    node: where it began. gradients: by node, complete when the sweep is over. kept: the nodes that had a gradient before it. sent: what
    each edge contributed, nodes falling, ports rising.
    """

    __slots__ = ("gradients", "kept", "node", "sent")

    def __init__(self, node: int, gradients: list[Any], sent: list[Any]) -> None:
        self.node, self.gradients, self.sent = node, gradients, sent
        self.kept = {n for n, g in enumerate(gradients) if g is not None}

    def events(self, tape: Tape) -> Iterator[Event]:
        """A ``vjp`` for each edge, with ``unbroadcast`` where axes were summed away and ``accumulate`` where something was there.

        A sweep that an error ended has events as far as it came.
        """
        arrived, sent = set(self.kept), iter(self.sent)
        rows, requires = tape.rows, tape.requires
        for node in range(self.node, -1, -1):
            row = rows[node]
            op = row[0]
            if op is None or self.gradients[node] is None:
                continue
            for port, target in enumerate(row[3:]):
                if not requires[target]:
                    continue
                contribution = next(sent, None)
                if contribution is None:
                    return
                if op.placed and row[2] is not None:
                    contribution = Placed(locked(contribution), locked(row[2]), locked(tape.arrays[target]))
                if type(contribution) is Summed:
                    yield Event("vjp", "backward", node, port, target, locked(contribution.before), None)
                    yield Event("unbroadcast", "backward", node, port, target, locked(contribution.contribution), None)
                else:
                    yield Event("vjp", "backward", node, port, target, locked(contribution), None)
                if target in arrived:
                    yield Event("accumulate", "backward", node, port, target, None, None)
                arrived.add(target)
