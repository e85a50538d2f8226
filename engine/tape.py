"""The tape: the record of a computation, as parallel lists indexed by node number.

Append order is topological, so nothing is ever sorted and nothing recurses. The tape holds arrays, not tensors: an intermediate
tensor points at its tape and never the other way round, so there are no reference cycles; leaves belong to no tape.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.ops.op import REGISTRY, Array, Op, as_array

if TYPE_CHECKING:
    from engine.tensor import Tensor

Level = Literal["OFF", "GRAD", "TRACE"]
Phase = Literal["forward", "loss", "backward", "update"]
Event = tuple[str, Phase, int, int, int, Any, Any]  # kind, phase, node, port, target, array or None, terms or None

_CURRENT: ContextVar[Tape | None] = ContextVar("current_tape", default=None)
_IMPLICIT: ContextVar[weakref.ref[Tape] | None] = ContextVar("implicit_tape", default=None)
_QUIET = ("engine.tensor", "engine.tape", "engine.ops", "engine.losses", "engine.nn.module", "engine.nn.linear", "contextlib")


class TapeError(RuntimeError):
    """A computation that a tape cannot record or differentiate; says what to do instead."""


@dataclass(frozen=True)
class Clipping:
    """What clipping the gradients did: its coefficient, and the gradients as they were, by leaf node."""

    coefficient: float
    gradients: dict[int, Array]


class Tape:
    """The record of one computation.

    level: ``"OFF"`` records nothing (plain numpy); ``"GRAD"`` what `backward` needs, recurrent layers fused; ``"TRACE"`` every
    primitive with scope, source line, contributions and the update's terms.

    ``with Tape(level="TRACE") as tape:`` opens a recording for this thread or task; without one, an implicit tape at level GRAD opens
    at the first operation that needs a gradient and closes at `backward()`.
    """

    def __init__(self, level: Level = "GRAD") -> None:
        if level not in ("OFF", "GRAD", "TRACE"):
            raise ValueError(f"level is {level!r}; expected 'OFF', 'GRAD' or 'TRACE'")
        self.level: Level = level
        self.tracing = level == "TRACE"
        self.closed = False
        self.ops: list[Op | None] = []
        self.inputs: list[tuple[int, ...]] = []
        self.attributes: list[Mapping[str, Any]] = []
        self.values: list[Array] = []
        self.residuals: list[Any] = []
        self.requires: list[bool] = []
        self.leaves: dict[int, Tensor] = {}  # node -> leaf
        self._leaf_ids: dict[int, int] = {}  # id(leaf) -> its latest node; `leaves` keeps the leaf, so the id stays taken
        # At TRACE alone:
        self.scopes: list[str] = []
        self.times: list[int | None] = []
        self.sources: list[str | None] = []
        self.labels: dict[int, str] = {}
        self.roles: dict[int, str] = {}
        self.log: list[Event] = []
        self.latest_gradients: list[Array | None] = []
        self.clipping: Clipping | None = None  # the latest, until the gradients are zeroed
        self.rules: dict[str, dict[str, Any]] = {}  # optimizer -> its rule, described
        self._scope, self._time, self._phase, self._probing = "", None, "forward", False
        self._tokens: list[Token[Tape | None]] = []

    _scope: str
    _time: int | None
    _phase: Phase
    _probing: bool

    def __enter__(self) -> Tape:
        self._tokens.append(_CURRENT.set(self))
        return self

    def __exit__(self, *error: object) -> None:
        _CURRENT.reset(self._tokens.pop())

    def __len__(self) -> int:
        return len(self.ops)

    # recording

    def leaf(self, tensor: Tensor) -> int:
        """The node of a leaf; a leaf whose data was replaced since gets a new one."""
        node = self._leaf_ids.get(id(tensor))
        if node is not None and self.values[node] is tensor.data:
            return node
        if type(tensor.data) is not np.ndarray or tensor.data.base is not None:  # a view could be changed behind the record's back
            tensor.data = np.array(tensor.data)
        node = self._append(None, (), {}, tensor.data, None, tensor.requires_grad)
        if self.tracing and tensor.name is not None:  # it belongs to the whole computation, not to the place of its first use
            self.scopes[node], self.times[node] = "", None
        self.leaves[node] = tensor
        self._leaf_ids[id(tensor)] = node
        return node

    def node_of(self, tensor: Tensor) -> int:
        """The node of a tensor of this tape. Raises TapeError for another tape's intermediate."""
        if tensor.tape is self:
            return tensor.node
        if tensor.tape is not None:
            raise TapeError(
                "this tensor was computed on another tape; tapes cannot be mixed. Compute both in one `with Tape()` block and before "
                "backward(), or cut the gradient with .detach()"
            )
        return self.leaf(tensor)

    def record(self, op: Op, inputs: tuple[int, ...], attributes: Mapping[str, Any], value: Array, residuals: Any) -> int:
        """Appends one operation's result."""
        requires = not self._probing and any([self.requires[i] for i in inputs])
        node = self._append(op, inputs, attributes, value, residuals, requires)
        if self.tracing:
            if self._probing:
                self.roles[node] = "probe"
            else:
                self.log.append(("forward", self._phase, node, -1, -1, value, None))
        return node

    def _append(
        self, op: Op | None, inputs: tuple[int, ...], attributes: Mapping[str, Any], value: Array, residuals: Any, requires: bool
    ) -> int:
        value.flags.writeable = False
        self.ops.append(op)
        self.inputs.append(inputs)
        self.attributes.append(attributes)
        self.values.append(value)
        self.residuals.append(residuals)
        self.requires.append(requires)
        if self.tracing:
            self.scopes.append(self._scope)
            self.times.append(self._time)
            self.sources.append(_source_line() if op is not None else None)
        return len(self.ops) - 1

    @contextmanager
    def scope(self, name: str, time: int | None = None) -> Iterator[None]:
        """Nodes recorded inside get this scope (``gru/t=3``), joined to the one around, and this time step (from 1)."""
        before = self._scope, self._time
        self._scope = f"{self._scope}/{name}" if self._scope else name
        self._time = self._time if time is None else time
        try:
            yield
        finally:
            self._scope, self._time = before

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Nodes recorded inside belong to this phase of the film."""
        before, self._phase = self._phase, phase
        try:
            yield
        finally:
            self._phase = before

    @contextmanager
    def probe(self) -> Iterator[None]:
        """Nodes recorded inside are there to be looked at: no events, no gradient."""
        before, self._probing = self._probing, True
        try:
            yield
        finally:
            self._probing = before

    def label(self, tensor: Tensor, label: str, role: str | None = None) -> Tensor:
        """Names a node by the symbol that people know it by, and sets its role. Returns the tensor."""
        if self.tracing:
            node = self.node_of(tensor)
            self.labels[node] = label
            if role is not None:
                self.roles[node] = role
        return tensor

    # replay

    def replay(self, overrides: Mapping[Tensor | int, Any]) -> list[Array]:
        """The value of every node, recomputed from the record with some values changed; the record stays as it is.

        overrides: tensor or node number -> array of the node's shape; a leaf whose data was replaced since stands for what it was first.
        Raises ValueError for another shape, TapeError for a tensor or a number that is not on this tape.
        """
        changed = {self._recorded(key): value for key, value in overrides.items()}
        for node, value in changed.items():
            if as_array(value).shape != self.values[node].shape:
                raise ValueError(f"replay: node {node} has shape {self.values[node].shape}; given shape {as_array(value).shape}")
        return replay(self.ops, self.inputs, self.attributes, self.values, changed)

    def _recorded(self, key: Tensor | int) -> int:
        """The node of a tensor that is on this tape already."""
        if isinstance(key, int):
            if 0 <= key < len(self):
                return key
            raise TapeError(f"node {key} is not on this tape; it has 0..{len(self) - 1}")
        node = key.node if key.tape is self else next((n for n, leaf in self.leaves.items() if leaf is key), None)
        if node is None:
            raise TapeError(f"{key.name or 'this tensor'} is not on this tape: nothing recorded here was computed from it")
        return node


def replay(
    ops: list[Op | None],
    inputs: list[tuple[int, ...]],
    attributes: list[Mapping[str, Any]],
    values: list[Array],
    changed: Mapping[int, Any],
) -> list[Array]:
    """Values after some were changed: nodes downstream of a change are computed again, the others kept by reference."""
    out = list(values)
    dirty = [False] * len(ops)
    for node, op in enumerate(ops):
        if node in changed:
            out[node], dirty[node] = as_array(changed[node]).astype(values[node].dtype), True
        elif op is not None and any(dirty[i] for i in inputs[node]):
            result = op.forward(*(out[i] for i in inputs[node]), **attributes[node])
            out[node], dirty[node] = as_array(result[0] if isinstance(result, tuple) else result), True
    return out


def _source_line() -> str | None:
    """The first frame outside the engine's plumbing, as ``module:line``."""
    frame = sys._getframe(3)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(_QUIET):
            return f"{module}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return None


def recording_tape(needs_gradient: bool) -> Tape | None:
    """The tape that the next operation goes to: the explicit one, or else, where a gradient is needed, the implicit one."""
    tape = _CURRENT.get()
    if tape is not None:
        return None if tape.level == "OFF" or (not needs_gradient and not tape.tracing) else tape
    if not needs_gradient:
        return None
    reference = _IMPLICIT.get()
    tape = reference() if reference is not None else None
    if tape is None or tape.closed:
        tape = Tape("GRAD")
        # A weak reference: an unfinished computation goes away with the tensors that came out of it.
        _IMPLICIT.set(weakref.ref(tape))
    return tape


def close_implicit(tape: Tape) -> None:
    """Ends an implicit tape after backward; later operations open a new one."""
    reference = _IMPLICIT.get()
    if reference is not None and reference() is tape:
        tape.closed = True
        _IMPLICIT.set(None)


def tracing() -> Tape | None:
    """The current tape if it records at TRACE."""
    tape = _CURRENT.get()
    return tape if tape is not None and tape.tracing else None


def scope(name: str, time: int | None = None) -> AbstractContextManager[None]:
    """`Tape.scope` on the current tape; costs nothing below TRACE."""
    tape = tracing()
    return tape.scope(name, time) if tape is not None else nullcontext()


def label(tensor: Tensor, name: str, role: str | None = None) -> Tensor:
    """`Tape.label` on the current tape; costs nothing below TRACE."""
    tape = tracing()
    return tape.label(tensor, name, role) if tape is not None else tensor


def known_op(name: str) -> Op:
    """The op of that name. Raises TapeError with the known names."""
    try:
        return REGISTRY[name]
    except KeyError:
        known = ", ".join(sorted(n for n, op in REGISTRY.items() if not op.hidden))
        raise TapeError(f"no operation is called {name!r}; known: {known}") from None
