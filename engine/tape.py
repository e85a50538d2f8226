"""The tape: the record of a computation, as parallel lists indexed by node number.

Append order is topological, so nothing is ever sorted and nothing recurses. The tape holds arrays, not tensors: an intermediate
tensor points at its tape and never the other way round, so there are no reference cycles; leaves belong to no tape.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass
from itertools import islice
from types import CodeType, FrameType, MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.ops.op import REGISTRY, Array, Op, as_array

if TYPE_CHECKING:
    from engine.tensor import Tensor

Level = Literal["OFF", "GRAD", "TRACE"]
Phase = Literal["forward", "loss", "backward", "update"]
Event = tuple[str, Phase, int, int, int, Any, Any]  # kind, phase, node, port, target, array (or Placed) or None, terms or None
_Code = tuple[CodeType, str | None]

CURRENT: ContextVar[Tape | None] = ContextVar("current_tape", default=None)
_IMPLICIT: ContextVar[weakref.ref[Tape] | None] = ContextVar("implicit_tape", default=None)
NO_ATTRIBUTES: Mapping[str, Any] = MappingProxyType({})
LOCK: Any = np.ndarray.setflags  # LOCK(array, False) makes it read-only, in half the time that ``array.flags.writeable = False`` takes
ONE_USE = -2  # the node of a constant that was made of a number for one operation: nobody can ask for it again
_QUIET = (  # plumbing: the line behind a node is the first outside it
    "engine.tensor", "engine.tape", "engine.namespace", "engine.backward", "engine.differentiate", "engine.ops", "engine.losses",
    "engine.nn.module", "engine.nn.linear", "engine.nn.containers", "engine.nn.dropout", "engine.nn.normalisation",
    "engine.nn.convolution", "contextlib",
)  # fmt: skip


class TapeError(RuntimeError):
    """A computation that a tape cannot record or differentiate; says what to do instead."""


@dataclass(frozen=True)
class Clipping:
    """What clipping the gradients did: its coefficient, and the gradients as they were, by leaf node."""

    coefficient: float
    gradients: dict[int, Array]


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


@dataclass(frozen=True)
class NonFinite:
    """The first operation whose result holds a NaN or an infinity that none of its inputs held (op None: a leaf came with it).

    node: its number; scope, time, source: where it was recorded (source ``module:line``; both empty below TRACE). count: elements that are
    not finite; `values` of them, at most three, as they are.
    """

    node: int
    op: str | None
    scope: str
    time: int | None
    source: str | None
    count: int
    values: tuple[float, ...]

    def __str__(self) -> str:
        what = "a leaf came with" if self.op is None else f"{self.op} made"
        where = f" in {self.scope}" if self.scope else ""
        line = f" at {self.source}" if self.source else ""
        numbers = ", ".join(map(str, self.values))
        bad = "1 number that is" if self.count == 1 else f"{self.count} numbers that are"
        return f"{what} {bad} not finite ({numbers}){where}{line} (node {self.node})"


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
        self.tracing, self.recording = level == "TRACE", level != "OFF"
        self.probing = False  # what is recorded now is only there to be looked at
        self.closed = False
        self.ops: list[Op | None] = []
        self.inputs: list[tuple[int, ...]] = []
        self.attributes: list[Mapping[str, Any]] = []
        self.values: list[Any] = []  # arrays, read-only; a 0-d result is numpy's own scalar, which nobody can change
        self.residuals: list[Any] = []
        self.requires: list[bool] = []
        self.leaves: dict[int, Tensor] = {}  # node -> leaf
        self._leaf_ids: dict[int, int] = {}  # id(leaf) -> its latest node; `leaves` keeps the leaf, so the id stays taken
        # At TRACE alone:
        self.scopes: list[str] = []
        self.times: list[int | None] = []
        self._sources: list[tuple[_Code, int] | None] = []
        self._codes: dict[int, _Code] = {}  # id(code) -> the code, and its module unless that is the engine's own plumbing
        self.labels: dict[int, str] = {}
        self.roles: dict[int, str] = {}
        self.log: list[Event] = []
        self.latest_gradients: list[Array | None] = []
        self.clipping: Clipping | None = None  # the latest, until the gradients are zeroed
        self.rules: dict[str, dict[str, Any]] = {}  # optimizer -> its rule, described
        self._scope, self._time, self._phase = "", None, "forward"
        self._tokens: list[Token[Tape | None]] = []

    _scope: str
    _time: int | None
    _phase: Phase

    def __enter__(self) -> Tape:
        self._tokens.append(CURRENT.set(self))
        return self

    def __exit__(self, *error: object) -> None:
        CURRENT.reset(self._tokens.pop())

    def __len__(self) -> int:
        return len(self.ops)

    # recording

    def leaf(self, tensor: Tensor) -> int:
        """The node of a leaf; a leaf whose data was replaced since gets a new one."""
        node = self._leaf_ids.get(id(tensor))
        data = tensor.data
        if node is not None and self.values[node] is data:
            return node
        if type(data) is np.ndarray:
            if data.base is not None:  # a view could be changed behind the record's back
                tensor.data = data = np.array(data)
            LOCK(data, False)
        elif not isinstance(data, np.generic):
            tensor.data = data = np.array(data)
            LOCK(data, False)
        node = self.append(None, (), NO_ATTRIBUTES, data, None, tensor.requires_grad)
        if self.tracing:
            named = tensor.name is not None  # then it belongs to the whole computation, not to the place of its first use
            self.scopes.append("" if named else self._scope)
            self.times.append(None if named else self._time)
            self._sources.append(None)
        self.leaves[node] = tensor
        self._leaf_ids[id(tensor)] = node
        return node

    def node_of(self, tensor: Tensor) -> int:
        """The node of a tensor of this tape. Raises TapeError for another tape's intermediate."""
        if tensor.tape is self:
            return tensor.node
        if tensor.node == ONE_USE:
            return self._constant(tensor.data)
        if tensor.tape is not None:
            raise TapeError(
                "this tensor was computed on another tape; tapes cannot be mixed. Compute both in one `with Tape()` block and before "
                "backward(), or cut the gradient with .detach()"
            )
        return self.leaf(tensor)

    def _constant(self, number: Any) -> int:
        if type(number) is np.ndarray:
            LOCK(number, False)
        if self.tracing:
            self.scopes.append(self._scope)
            self.times.append(self._time)
            self._sources.append(None)
        return self.append(None, (), NO_ATTRIBUTES, number, None, False)

    def append(self, op: Op | None, inputs: tuple[int, ...], attributes: Mapping[str, Any], value: Any, residuals: Any,
               requires: bool) -> int:  # fmt: skip
        """Adds a node to the record, at every level; the value is read-only already. Returns its number."""
        ops = self.ops
        ops.append(op)
        self.inputs.append(inputs)
        self.attributes.append(attributes)
        self.values.append(value)
        self.residuals.append(residuals)
        self.requires.append(requires)
        return len(ops) - 1

    def annotate(self, value: Any, frame: FrameType) -> None:
        """What level TRACE adds to the next node, a computed one: its place, the line of code behind it, and its event."""
        node = len(self.ops)
        self.scopes.append(self._scope)
        self.times.append(self._time)
        code = frame.f_code
        known = self._codes.get(id(code))
        if known is None or known[1] is None:
            self._sources.append(self._caller(frame))
        else:
            self._sources.append((known, frame.f_lasti))
        if self.probing:
            self.roles[node] = "probe"
        else:
            self.log.append(("forward", self._phase, node, -1, -1, value, None))

    def _caller(self, frame: FrameType) -> tuple[_Code, int] | None:
        """The first frame outside the engine's plumbing, and where it is."""
        caller: FrameType | None = frame
        while caller is not None:
            code = caller.f_code
            known = self._codes.get(id(code))
            if known is None:
                module = caller.f_globals.get("__name__", "")
                known = self._codes[id(code)] = (code, None if module.startswith(_QUIET) else module)
            if known[1] is not None:
                return known, caller.f_lasti
            caller = caller.f_back
        return None

    def source(self, node: int) -> str | None:
        """The line of code that made a node, as ``module:line``, outside the engine's plumbing. None for leaves and below TRACE."""
        found = self._sources[node] if self.tracing else None
        if found is None:
            return None
        (code, module), instruction = found
        line = next(islice(code.co_positions(), instruction // 2, None))[0]
        return f"{module}:{line}"

    def first_nonfinite(self) -> NonFinite | None:
        """The first operation that made a NaN or an infinity out of finite numbers; None when every value is finite."""
        for node, value in enumerate(self.values):
            if value.dtype.kind != "f" or np.isfinite(value).all():
                continue
            bad = as_array(value)[~np.isfinite(value)]
            op, traced = self.ops[node], self.tracing
            return NonFinite(
                node, None if op is None else op.name, self.scopes[node] if traced else "", self.times[node] if traced else None,
                self.source(node), bad.size, tuple(bad[:3].tolist()),
            )  # fmt: skip
        return None

    def scope(self, name: str, time: int | None = None) -> AbstractContextManager[None]:
        """Nodes recorded inside get this scope (``gru/t=3``), joined to the one around, and this time step (from 1)."""
        return _Scope(self, name, time)

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
        before, self.probing = self.probing, True
        try:
            yield
        finally:
            self.probing = before

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


class _Scope:
    """A scope while it is open."""

    __slots__ = ("before", "name", "tape", "time")

    def __init__(self, tape: Tape, name: str, time: int | None) -> None:
        self.tape, self.name, self.time = tape, name, time

    def __enter__(self) -> None:
        tape = self.tape
        self.before = tape._scope, tape._time
        if tape._scope:
            tape._scope = f"{tape._scope}/{self.name}"
        else:
            tape._scope = self.name
        if self.time is not None:
            tape._time = self.time

    def __exit__(self, *error: object) -> None:
        self.tape._scope, self.tape._time = self.before


def implicit_tape() -> Tape:
    """The tape that operations go to that need a gradient and have no explicit tape."""
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
    tape = CURRENT.get()
    return tape if tape is not None and tape.tracing else None


_NOTHING = nullcontext()


def scope(name: str, time: int | None = None) -> AbstractContextManager[None]:
    """`Tape.scope` on the current tape; costs nothing below TRACE."""
    tape = CURRENT.get()
    return _Scope(tape, name, time) if tape is not None and tape.tracing else _NOTHING


def label(tensor: Tensor, name: str, role: str | None = None) -> Tensor:
    """`Tape.label` on the current tape; costs nothing below TRACE."""
    tape = CURRENT.get()
    if tape is not None and tape.tracing:
        node = tensor.node if tensor.tape is tape else tape.node_of(tensor)
        tape.labels[node] = name
        if role is not None:
            tape.roles[node] = role
    return tensor


def known_op(name: str) -> Op:
    """The op of that name. Raises TapeError with the known names."""
    try:
        return REGISTRY[name]
    except KeyError:
        known = ", ".join(sorted(n for n, op in REGISTRY.items() if not op.hidden))
        raise TapeError(f"no operation is called {name!r}; known: {known}") from None
