"""How a program chooses of a data set of one's own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from server import limits

Id = Annotated[str, Field(pattern="^d_[0-9a-f]{16}$")]
Name = Annotated[str, Field(min_length=1, max_length=limits.DATASET_NAME + 10)]


class TextChoice(BaseModel):
    """A class to be told from a text. length: of how many characters at most; 64 unless given."""

    model_config = ConfigDict(extra="forbid")

    id: Id
    kind: Literal["text"]
    text: Name
    label: Name
    length: Annotated[int, Field(ge=1, le=limits.SEQUENCE_STEPS)] | None = None


class SeriesChoice(BaseModel):
    """A series, whose next number is to be predicted at each of `window` steps."""

    model_config = ConfigDict(extra="forbid")

    id: Id
    kind: Literal["series"]
    column: Name
    window: Annotated[int, Field(ge=2, le=limits.SEQUENCE_STEPS)] = 20


DatasetChoice = Annotated[TextChoice | SeriesChoice, Field(discriminator="kind")]
