"""Changes to a trace, as a request gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, model_validator

from server import limits
from server.schemas.graph import GraphValue


def _node(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    if not is_number and not (isinstance(value, str) and 0 < len(value) <= 200):
        raise ValueError("a node is named by its id, a number from 0, or by its path")
    return value


NodeKey = Annotated[Any, AfterValidator(_node), WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]})]
Number = Annotated[int, Field(ge=0, le=2**31)]


class ValueEdit(BaseModel):
    """Another value for a node, or for one of its elements.

    node: id or path. index: of the element; the whole node unless given. value: a number; of a whole node an array of its shape.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"node": "w", "value": 1.5}, {"node": "x", "index": [0], "value": 2}]}
    )

    node: NodeKey
    index: Annotated[list[Number], Field(max_length=limits.INPUT_DIMENSIONS)] | None = None
    value: GraphValue


class Muted(BaseModel):
    """Where no gradient comes back: through what `node` (the consumer) reads, its input `port` or all of them; or to the parameters, from
    their uses at one time step. Give a node or a time.
    """

    model_config = ConfigDict(extra="forbid")

    node: NodeKey | None = None
    port: Number | None = None
    time: Number | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Muted:
        if (self.node is None) == (self.time is None) or (self.time is not None and self.port is not None):
            raise ValueError("give a node, with a port or without, or a time")
        return self


class MuteEdit(BaseModel):
    """A gradient that is cut off; values stay as they are."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"mute": {"node": "tanh#0", "port": 0}}, {"mute": {"time": 5}}]}
    )

    mute: Muted


class ZeroGradEdit(BaseModel):
    """The step is differentiated once more, and the gradients that it has are not zeroed before."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"zero_grad": False}]})

    zero_grad: Literal[False]


def _kind(edit: Any) -> str:
    names = edit if isinstance(edit, Mapping) else type(edit).model_fields if isinstance(edit, BaseModel) else ()
    return next((f"edit by {name}" for name in ("mute", "zero_grad") if name in names), "edit by value")


AnyEdit = Annotated[
    Annotated[ValueEdit, Tag("edit by value")]
    | Annotated[MuteEdit, Tag("edit by mute")]
    | Annotated[ZeroGradEdit, Tag("edit by zero_grad")],
    Discriminator(_kind),
]
Edits = Annotated[list[AnyEdit], Field(min_length=1, max_length=limits.EDITS)]
