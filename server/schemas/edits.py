"""Changes to the values of a trace, as a request gives them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from server import limits
from server.schemas.graph import GraphValue


def _node(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    if not is_number and not (isinstance(value, str) and 0 < len(value) <= 200):
        raise ValueError("a node is named by its id, a number from 0, or by its path")
    return value


NodeKey = Annotated[Any, AfterValidator(_node), WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]})]


class ValueEdit(BaseModel):
    """Another value for a node, or for one of its elements.

    node: id or path. index: of the element; the whole node unless given. value: a number; of a whole node an array of its shape.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"node": "w", "value": 1.5}, {"node": "x", "index": [0], "value": 2}]}
    )

    node: NodeKey
    index: Annotated[list[Annotated[int, Field(ge=0, le=2**31)]], Field(max_length=limits.INPUT_DIMENSIONS)] | None = None
    value: GraphValue


Edits = Annotated[list[ValueEdit], Field(min_length=1, max_length=limits.EDITS)]
