"""Landscapes: what asks for one, and what is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server import limits
from server.schemas.answers import Answer, Number
from server.schemas.body import Body


class Element(BaseModel):
    """One number of a parameter: `{"name": "rnn.weight_hh_l0", "index": [0, 1]}`."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)]
    index: Annotated[list[Annotated[int, Field(ge=0, le=limits.PARAMETERS)]], Field(max_length=2)]


class ParameterDirections(BaseModel):
    """Two numbers are varied; the others stay as they are in the middle. The axes are these numbers."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["parameters"]
    a: Element
    b: Element


class RandomDirections(BaseModel):
    """All numbers are varied along two random directions, filter-normalised. The axes count steps from the middle."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["random"] = "random"
    seed: Annotated[int, Field(ge=0, le=limits.SEED)] = 0


class PcaDirections(BaseModel):
    """All numbers are varied along the two directions that hold most of the runs' ways.

    They are the first two principal components of the networks on the way, about the middle, of length 1: the axes are distances in
    parameter space. A run needs two steps to span a plane.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["pca"]


class LandscapeRequest(Body):
    """The loss over a plane through the last network of the first run, with the ways of the runs upon it.

    runs: of one task and one shape of network. directions: null for `pca` where the ways of the runs span a plane, else random ones.
    span: how far the grid goes to each side of the middle; null: as far as the runs went, and a fifth more.
    resolution: points a side. examples: the first so many of the part.
    """

    runs: Annotated[list[Annotated[str, Field(max_length=40, pattern="^[!-~]*$")]], Field(min_length=1, max_length=limits.LANDSCAPE_RUNS)]
    directions: Annotated[PcaDirections | ParameterDirections | RandomDirections, Field(discriminator="kind")] | None = None
    span: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    resolution: Annotated[int, Field(ge=2, le=limits.LANDSCAPE_RESOLUTION)] = 25
    part: Literal["train", "validation"] = "train"
    examples: Annotated[int, Field(ge=1, le=limits.LANDSCAPE_EXAMPLES)] = 256

    @model_validator(mode="after")
    def _each_once(self) -> LandscapeRequest:
        if len(set(self.runs)) != len(self.runs):
            raise ValueError("a run is named twice; name each once")
        return self


class UsedParameterDirections(ParameterDirections):
    names: list[str]


class UsedRandomDirections(RandomDirections):
    names: list[str]


class UsedPcaDirections(PcaDirections):
    """explained: how much of the ways each direction holds, from 0 to 1 (of the squared distances to the middle)."""

    names: list[str]
    explained: list[float]


class LandscapePath(BaseModel):
    """A run's networks over the plane: after which steps, where the nearest point of the plane is, and the network's own loss.

    in_plane: how much of the way between these networks and the middle lies in the plane, from 0 to 1 (of the squared distances). Where it
    is far from 1 the losses of the path are not those of the map below it.
    """

    run: str
    steps: list[int]
    x: list[Number]
    y: list[Number]
    loss: list[Number]
    in_plane: Number


class Landscape(Answer):
    """A landscape and how far it has come: `done` of `points`, and about how many seconds it takes yet, while it is computed.

    What is not known yet is null. loss: a row a y, a column an x.
    """

    id: str
    status: Literal["computing", "done", "failed"]
    error: str | None
    done: int
    points: int
    seconds_left: float | None
    directions: Annotated[UsedPcaDirections | UsedParameterDirections | UsedRandomDirections, Field(discriminator="kind")] | None
    part: Literal["train", "validation"] | None
    examples: int | None
    x: list[float] | None
    y: list[float] | None
    loss: list[list[Number]] | None
    paths: list[LandscapePath] | None
