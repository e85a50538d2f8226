"""What the API answers about traces: the shapes that OpenAPI names. The schema of a trace in full is engine/trace/trace-1.schema.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from server.schemas.answers import Answer, Cursor, Number

TraceId = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$", examples=["sha256:" + "0" * 64])]
Dtype = Literal["f8", "f4", "i4", "u1"]


class PackedArray(BaseModel):
    """Little-endian numbers in C order. bdata: base64; in MessagePack bytes."""

    dtype: Dtype
    shape: list[int]
    bdata: str


class TraceNode(BaseModel):
    """A node of the graph; its id is its position. value, gradient: references into `tensors`."""

    id: int
    path: str
    op: str | None
    label: str | None
    scope: str
    time: int | None
    role: Literal["input", "parameter", "constant", "intermediate", "probe", "loss"]
    inputs: list[int]
    attributes: dict[str, Any]
    shape: list[int]
    dtype: str
    requires_grad: bool
    value: int | None
    gradient: int | None
    source: str | None


class Trace(BaseModel):
    """The record of a computation, or a part of one: docs/trace-format.md, and in full GET /api/v1/schema/trace-1.json."""

    schema_: Annotated[Literal["retrograd.trace/1"], Field(alias="schema")]
    schema_version: Literal[1]
    id: TraceId
    program: dict[str, Any]
    ops: dict[str, Any]
    rules: dict[str, Any]
    nodes: list[TraceNode]
    loss: int
    events: dict[str, Any]
    tensors: dict[str, Any]
    batch: dict[str, Any] | None
    after: dict[str, Any] | None
    notes: list[dict[str, Any]]


class TraceSummary(BaseModel):
    """A stored trace. bytes: of its JSON. pinned: it does not make room for others."""

    id: TraceId
    program: dict[str, Any]
    created: str
    bytes: int
    pinned: bool


class Pin(Answer):
    """Whether a trace is pinned by anybody, the server included, and whether the visitor did it."""

    trace: TraceId
    pinned: bool
    yours: bool


class TracePage(Answer):
    """Stored traces, newest first."""

    items: list[TraceSummary]
    next: Cursor


class Extent(BaseModel):
    """What is said of an array in place of its numbers."""

    shape: list[int]
    norm: Number


Numbers = Number | Extent


class WhyTerm(BaseModel):
    """What a value is made of. factor, product: of a sum."""

    name: str
    symbol: str
    node: int
    index: list[int] | None
    value: Numbers | None
    factor: Number | None = None
    product: Number | None = None


class WhyForward(BaseModel):
    """How a value came about. others: of a long sum, how many terms are not listed, and their sum."""

    latex: str | None
    latex_numbers: str | None
    terms: list[WhyTerm]
    others: dict[str, Any] | None


class WhyContribution(BaseModel):
    """What one use adds to a gradient. node null: dL/dL itself, or a gradient kept from an earlier run."""

    node: int | None
    port: int | None
    path: str | None
    time: int | None
    event: int
    latex: str | None
    latex_numbers: str | None
    value: Numbers | None


class WhyBackward(BaseModel):
    """Contributions in order of arrival; added up they are exactly `sum`."""

    contributions: list[WhyContribution]
    sum: Numbers | None


class WhyUpdateTerm(BaseModel):
    """A term of the optimizer's rule."""

    name: str
    symbol: str
    latex: str | None
    latex_numbers: str | None
    value: Numbers | None


class WhyUpdate(BaseModel):
    """How a parameter was updated."""

    event: int
    terms: list[WhyUpdateTerm]


class Why(Answer):
    """Why this number: a node, or one of its elements."""

    trace: TraceId
    node: int
    path: str
    label: str | None
    symbol: str
    op: str | None
    shape: list[int]
    index: list[int] | None
    value: Numbers | None
    gradient: Numbers | None
    forward: WhyForward | None
    backward: WhyBackward
    update: WhyUpdate | None


class Check(Answer):
    """A gradient's element beside its central difference.

    error: estimate of the difference's own error, of curvature and rounding; where it is not small beside the gradient, differences
    cannot resolve that.
    """

    gradient: Number
    finite_difference: Number
    difference: Number
    epsilon: Number
    error: Number


class TensorStatistics(BaseModel):
    """Over the finite elements; NaN where there are none."""

    min: Number
    max: Number
    mean: Number
    norm: Number
    nonfinite: int


class Tensor(PackedArray, Answer):
    """One array of a trace."""

    trace: TraceId
    reference: int
    statistics: TensorStatistics


class BpttUse(BaseModel):
    """A use of a parameter, or all uses of a time step. bar: its part of the gradient's norm."""

    time: int | None
    norm: Number
    bar: Number
    node: int | None = None
    path: str | None = None
    port: int | None = None
    event: int | None = None
    array: PackedArray | None = None


class BpttParameter(BaseModel):
    """A parameter's gradient as the sum of its uses."""

    node: int
    path: str
    shape: list[int]
    norm: Number
    terms: list[BpttUse]
    steps: list[BpttUse]
    array: PackedArray | None = None


class Bptt(Answer):
    """Back-propagation through time, itemised (docs/api.md)."""

    trace: TraceId
    row: int | None
    cells: list[str]
    cell: str | None
    states: list[str]
    times: list[int]
    state_norms: dict[str, list[Number | None]]
    loss_norms: dict[str, list[list[Number]]]
    jacobian_row: int | None
    jacobian_norms: list[list[Number]] | None
    parameters: list[BpttParameter]


class Difference(BaseModel):
    """How the values, or the gradients, of one node differ between two traces. only: the one of them that has any."""

    path: str
    label: str | None
    time: int | None
    a: int
    b: int
    only: Literal["a", "b"] | None = None
    elements: int | None = None
    norm: Number | None = None
    max: Number | None = None
    index: list[int] | None = None
    from_: Annotated[Number | None, Field(alias="from")] = None
    to: Number | None = None


class ChangedNode(BaseModel):
    """A node that is not built alike in both traces."""

    path: str
    what: list[str]


class Structure(BaseModel):
    """Where two graphs differ, by the paths of their nodes."""

    only_a: list[str]
    only_b: list[str]
    changed: list[ChangedNode]


class Diff(Answer):
    """Two traces side by side; what is equal is not listed."""

    a: TraceId
    b: TraceId
    loss: dict[str, Any]
    values: list[Difference]
    gradients: list[Difference]
    structure: Structure
