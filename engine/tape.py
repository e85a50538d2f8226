"""The tape: the record of a computation, by node number.

Append order is topological, so nothing is ever sorted and nothing recurses. The tape holds arrays, not tensors: an intermediate
tensor points at its tape and never the other way round, so there are no reference cycles; leaves belong to no tape.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import CodeType, FrameType, MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.events import LOCK, Event, Phase, Sweep, locked
from engine.ops.op import REGISTRY, Array, Op, as_array, wide

if TYPE_CHECKING:
    from engine.tensor import Tensor

Level = Literal["OFF", "GRAD", "TRACE"]
Row = tuple[Any, ...]  # op (None for a leaf), attributes (or what they are encoded from), residuals, then the inputs' nodes
Place = tuple[str, int | None, Phase, bool]  # scope, time step, phase, whether it is only there to be looked at

CURRENT: ContextVar[Tape | None] = ContextVar("current_tape", default=None)
_IMPLICIT: ContextVar[weakref.ref[Tape] | None] = ContextVar("implicit_tape", default=None)
NO_ATTRIBUTES: Mapping[str, Any] = MappingProxyType({})
ONE_USE = -2  # the node of a constant that was made of a number for one operation: nobody can ask for it again
_LEAF: Row = (None, NO_ATTRIBUTES, None)
_QUIET = (  # plumbing: the line behind a node is the first outside it
    "engine.tensor", "engine.methods", "engine.tape", "engine.namespace", "engine.backward", "engine.differentiate", "engine.ops",
    "engine.losses", "engine.nn.module", "engine.nn.linear", "engine.nn.containers", "engine.nn.dropout", "engine.nn.normalisation",
    "engine.nn.convolution", "engine.nn.activations", "engine.nn.losses", "contextlib",
)  # fmt: skip


class TapeError(RuntimeError):
    """A computation that a tape cannot record or differentiate; says what to do instead."""


@dataclass(frozen=True)
class Clipping:
    """What clipping the gradients did: its coefficient, and the gradients as they were, by leaf node."""

    coefficient: float
    gradients: dict[int, Array]


@dataclass(frozen=True)
class NonFinite:
    """The first operation whose result holds a NaN or an infinity that none of its inputs held (op None: a leaf came with it).

    node: its number; scope, time, source: where it was recorded (source ``module:line``; both empty below TRACE). count: elements that are
    not finite; `values` of them, at most three, as they are. port: of the input that got them from the op's gradient; None for a value.
    """

    node: int
    op: str | None
    scope: str
    time: int | None
    source: str | None
    count: int
    values: tuple[float, ...]
    port: int | None = None

    def __str__(self) -> str:
        what = "a leaf came with" if self.op is None else f"{self.op} made"
        if self.port is not None:
            what = f"the gradient of {self.op} for its input {self.port} made"
        where = f" in {self.scope}" if self.scope else ""
        line = f" at {self.source}" if self.source else ""
        numbers = ", ".join(map(str, self.values))
        bad = "1 number that is" if self.count == 1 else f"{self.count} numbers that are"
        return f"{what} {bad} not finite ({numbers}){where}{line} (node {self.node})"


class Column(Sequence[Any]):
    """One thing about every node, in the order of the nodes, read from the record when it is asked for."""

    def __init__(self, tape: Tape, read: Callable[[Tape, int], Any]) -> None:
        self._tape, self._read = tape, read

    def __len__(self) -> int:
        return len(self._tape)

    def __getitem__(self, node: Any) -> Any:
        nodes = range(len(self._tape))[node]
        return self._read(self._tape, nodes) if isinstance(nodes, int) else [self._read(self._tape, n) for n in nodes]

    def __iter__(self) -> Iterator[Any]:
        return (self._read(self._tape, node) for node in range(len(self._tape)))


class Tape:
    """The record of one computation.

    level: ``"OFF"`` records nothing (plain numpy); ``"GRAD"`` what `backward` needs, recurrent layers fused; ``"TRACE"`` every
    primitive with scope, source line, contributions and the update's terms.

    ``with Tape(level="TRACE") as tape:`` opens a recording for this thread or task; without one, an implicit tape at level GRAD opens
    at the first operation that needs a gradient and closes at `backward()`.

    A node's number is its place in every list: ops, inputs, attributes, residuals, values, requires; at TRACE scopes and times too.

    At TRACE ``tape.log`` has what happened, in order, as `Event` tuples: kind, phase, node, port, target, array, terms.
    """

    def __init__(self, level: Level = "GRAD") -> None:
        if level not in ("OFF", "GRAD", "TRACE"):
            raise ValueError(f"level is {level!r}; expected 'OFF', 'GRAD' or 'TRACE'")
        self.level: Level = level
        self.tracing, self.recording = level == "TRACE", level != "OFF"
        self.probing = False  # what is recorded now is only there to be looked at
        self.closed = False
        self.rows: list[Row] = []  # one small tuple a node is quicker to keep than an entry in each of many lists
        self.arrays: list[Any] = []  # the values as they were computed; a 0-d result is numpy's own scalar, which nobody can change
        self.requires: list[bool] = []
        self.leaves: dict[int, Tensor] = {}  # node -> leaf
        self.leaf_nodes: dict[Tensor, int] = {}  # leaf -> its latest node: fewer entries than `leaves` where the data of one was replaced
        # At TRACE alone:
        self.place: Place = ("", None, "forward", False)
        self.where: list[Any] = []  # three entries a node: place, code and instruction behind it (None for leaves)
        self.code: Any = None  # the code seen last that is not plumbing
        self.codes: dict[int, str] = {}  # id(code) -> its module, of all such code; `where` keeps the code
        self.labels: dict[int, str] = {}
        self.roles: dict[int, str] = {}
        self._notes: list[tuple[int, tuple[Any, ...] | Sweep]] = []  # with the number of nodes that were there before
        self.latest_gradients: list[Array | None] = []
        self.clipping: Clipping | None = None  # the latest, until the gradients are zeroed
        self.rules: dict[str, dict[str, Any]] = {}  # optimizer -> its rule, described
        self._tokens: list[Token[Tape | None]] = []

    def __enter__(self) -> Tape:
        self._tokens.append(CURRENT.set(self))
        return self

    def __exit__(self, *error: object) -> None:
        CURRENT.reset(self._tokens.pop())

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Tape(level={self.level!r}, {len(self)} nodes, {len(self.leaf_nodes)} of them leaves)"

    # reading

    @property
    def ops(self) -> Sequence[Op | None]:
        return Column(self, lambda tape, node: tape.rows[node][0])

    @property
    def inputs(self) -> Sequence[tuple[int, ...]]:
        return Column(self, lambda tape, node: tape.rows[node][3:])

    @property
    def values(self) -> Sequence[Any]:
        """Arrays, read-only: they are locked when they are handed out."""
        return Column(self, lambda tape, node: locked(tape.arrays[node]))

    @property
    def attributes(self) -> Sequence[Mapping[str, Any]]:
        return Column(self, lambda tape, node: attributes_of(tape.rows[node]))

    @property
    def residuals(self) -> Sequence[Any]:
        return Column(self, lambda tape, node: locked(tape.rows[node][2]))

    @property
    def scopes(self) -> Sequence[str]:
        return Column(self, lambda tape, node: tape.where[3 * node][0])

    @property
    def times(self) -> Sequence[int | None]:
        return Column(self, lambda tape, node: tape.where[3 * node][1])

    @property
    def log(self) -> list[Event]:
        """The events of a recording at TRACE, in order; a list of its own each time."""
        events: list[Event] = []
        at = 0
        for mark, note in self._notes:
            events.extend(self._forward_events(at, mark))
            at = mark
            if isinstance(note, Sweep):
                events.extend(note.events(self))
            else:
                events.append(Event(*note))
        events.extend(self._forward_events(at, len(self) if self.tracing else 0))
        return events

    def _forward_events(self, start: int, end: int) -> Iterator[Event]:
        rows, arrays, places = self.rows, self.arrays, self.where[::3]
        for node in range(start, end):
            _, _, phase, probing = places[node]
            if rows[node][0] is not None and not probing:
                yield Event("forward", phase, node, -1, -1, locked(arrays[node]), None)

    # recording

    def note(self, kind: str, phase: Phase, node: int = -1, port: int = -1, target: int = -1, array: Any = None, terms: Any = None) -> None:
        """Adds an event that is not the computation of a node. Its arrays are read-only from now on."""
        for recorded in (array, *(terms or {}).values()):
            locked(recorded)
        self._notes.append((len(self.rows), (kind, phase, node, port, target, array, terms)))

    def note_sweep(self, sweep: Sweep) -> None:
        """Adds the events of a backward sweep."""
        self._notes.append((len(self.rows), sweep))

    def node_of(self, tensor: Tensor) -> int:
        """The node of a tensor of this tape; a leaf that is new here, or whose data was replaced since, gets one.

        Raises TapeError for another tape's intermediate.
        """
        node = self.leaf_nodes.get(tensor)
        if node is not None and self.arrays[node] is tensor._data:
            return node
        if tensor.tape is self:
            return tensor.node
        if tensor.node == ONE_USE:
            return self._constant(tensor._data)
        if tensor.tape is not None:
            raise TapeError(
                "this tensor was computed on another tape; tapes cannot be mixed. Compute both in one `with Tape()` block and before "
                "backward(), or cut the gradient with .detach()"
            )
        return self._leaf(tensor)

    def leaf(self, tensor: Tensor) -> int:
        """The node of a leaf; a leaf whose data was replaced since gets a new one."""
        return self.node_of(tensor)

    def _leaf(self, tensor: Tensor) -> int:
        data = tensor._data
        if type(data) is np.ndarray:
            LOCK(data, False)
            if data.base is not None:  # computed without a tape, and shows the memory of another tensor, which could be changed
                LOCK(data.base, False)
        node = len(self.rows)
        self.rows.append(_LEAF)
        self.arrays.append(data)
        self.requires.append(tensor._requires_grad)
        if self.tracing:
            scope, time, phase, _ = self.place
            # a named one belongs to the whole computation, not to the place of its first use
            self.where += ((scope, time, phase, False) if tensor.name is None else ("", None, phase, False), None, 0)
        self.leaves[node] = tensor
        self.leaf_nodes[tensor] = node
        return node

    def _constant(self, number: Any) -> int:
        node = len(self.rows)
        self.rows.append(_LEAF)
        self.arrays.append(number)
        self.requires.append(False)
        if self.tracing:
            self.where += (self.place, None, 0)
        return node

    def locate(self, frame: FrameType) -> None:
        """What level TRACE keeps of a computed node besides: its place, and the line of code behind it, the first outside the plumbing."""
        caller: FrameType | None = frame
        while caller is not None:
            code = caller.f_code
            if id(code) in self.codes:
                self.where += (self.place, code, caller.f_lasti)
                return
            module = caller.f_globals.get("__name__", "?")
            if not module.startswith(_QUIET):
                self.codes[id(code)], self.code = module, code
                self.where += (self.place, code, caller.f_lasti)
                return
            caller = caller.f_back
        self.where += (self.place, None, 0)

    def source(self, node: int) -> str | None:
        """The line of code that made a node, as ``module:line``, outside the engine's plumbing. None for leaves and below TRACE."""
        code = self.where[3 * node + 1] if self.tracing else None
        return None if code is None else f"{self.codes[id(code)]}:{_line(code, self.where[3 * node + 2])}"

    def first_nonfinite(self, infinities: bool = True) -> NonFinite | None:
        """The first operation that made a NaN or an infinity out of finite numbers; None when every value is finite.

        infinities: False looks for NaN alone, where a mask of -inf is meant to be there. For gradients: `BackwardRun.first_nonfinite`.
        """
        for node, value in enumerate(self.values):
            if (found := self.nonfinite_in(value, node, infinities)) is not None:
                return found
        return None

    def nonfinite_in(self, numbers: Any, node: int, infinities: bool, port: int | None = None) -> NonFinite | None:
        """What is not finite in some numbers that a node made."""
        if numbers.dtype.kind != "f" or np.isfinite(numbers).all():
            return None
        bad = as_array(numbers)[~np.isfinite(numbers) if infinities else np.isnan(numbers)]
        if not bad.size:
            return None
        op, traced = self.ops[node], self.tracing
        return NonFinite(
            node, None if op is None else op.name, self.scopes[node] if traced else "", self.times[node] if traced else None,
            self.source(node), bad.size, tuple(bad[:3].tolist()), port,
        )  # fmt: skip

    def scope(self, name: str, time: int | None = None) -> AbstractContextManager[None]:
        """Nodes recorded inside get this scope (``gru/t=3``), joined to the one around, and this time step (from 1)."""
        return _Scope(self, name, time)

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Nodes recorded inside belong to this phase of the film."""
        before = self.place
        self.place = (before[0], before[1], phase, before[3])
        try:
            yield
        finally:
            self.place = before

    @contextmanager
    def probe(self) -> Iterator[None]:
        """Nodes recorded inside are there to be looked at: no events, no gradient. Below TRACE nobody looks, and nothing is recorded."""
        place, probing, recording, start = self.place, self.probing, self.recording, len(self)
        self.place, self.probing, self.recording = (*place[:3], True), True, self.tracing
        try:
            yield
        finally:
            self.place, self.probing, self.recording = place, probing, recording
            for node in range(start, len(self)):
                if self.rows[node][0] is not None:
                    self.roles.setdefault(node, "probe")

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
        return replay([row[0] for row in self.rows], [row[3:] for row in self.rows], self.attributes, list(self.values), changed)

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


@lru_cache(maxsize=4096)
def _line(code: CodeType, instruction: int) -> int | None:
    return next(islice(code.co_positions(), instruction // 2, None))[0]


def attributes_of(row: Row) -> Mapping[str, Any]:
    """The attributes of a recorded node. The commonest calls leave their arguments as they were given, and they are encoded here."""
    op, attributes = row[0], row[1]
    if type(attributes) is not tuple:
        return attributes  # type: ignore[no-any-return]
    encoded: Mapping[str, Any] = op.encode(*attributes)
    return encoded


def replay(
    ops: Sequence[Op | None],
    inputs: Sequence[tuple[int, ...]],
    attributes: Sequence[Mapping[str, Any]],
    values: Sequence[Array],
    changed: Mapping[int, Any],
) -> list[Array]:
    """Values after some were changed: nodes downstream of a change are computed again, the others kept by reference."""
    out = list(values)
    dirty = [False] * len(ops)
    for node, op in enumerate(ops):
        if node in changed:
            out[node], dirty[node] = as_array(changed[node]).astype(values[node].dtype), True
        elif op is not None and True in [dirty[i] for i in inputs[node]]:
            given = [wide(out[i]) if op.fractional else out[i] for i in inputs[node]]
            result = op.forward(*given, **attributes[node])
            out[node], dirty[node] = as_array(result[0] if type(result) is tuple else result), True
    return out


class _Scope:
    """A scope while it is open."""

    __slots__ = ("before", "name", "tape", "time")

    def __init__(self, tape: Tape, name: str, time: int | None) -> None:
        self.tape, self.name, self.time = tape, name, time

    def __enter__(self) -> None:
        tape, name = self.tape, self.name
        self.before = outer, time, phase, probing = tape.place
        tape.place = (f"{outer}/{name}" if outer else name, time if self.time is None else self.time, phase, probing)

    def __exit__(self, *error: object) -> None:
        self.tape.place = self.before


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


def scopes(names: Iterable[str]) -> Iterator[str]:
    """Each name in turn, for a loop: what the current tape records meanwhile gets it as its scope. Quicker than `scope` for each."""
    tape = tracing()
    if tape is None:
        yield from names
        return
    before = outer, time, phase, probing = tape.place
    try:
        for name in names:
            tape.place = (f"{outer}/{name}" if outer else name, time, phase, probing)
            yield name
    finally:
        tape.place = before


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
