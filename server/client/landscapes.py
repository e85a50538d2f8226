"""The loss about a network as a map, with the ways of runs upon it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Literal

from server.client.answers import LandscapePath, LandscapeState
from server.client.arrays import Floats
from server.client.errors import RetrogradError
from server.client.figures import Figure
from server.client.flow import Flow, Part, Pause, S, operation, segment
from server.client.runs import Run


class Landscapes(Part[S], Generic[S]):
    """The landscapes of a server, which keeps the latest."""

    @operation
    def start(
        self, runs: Sequence[Run[S] | str], *, directions: Mapping[str, Any] | None = None, span: float | None = None,
        resolution: int = 25, part: Literal["train", "validation"] = "train", examples: int = 256,
    ) -> Flow[Landscape[S]]:  # fmt: skip
        """Begins to compute the loss over a plane through the last network of the first run; `wait` for it.

        runs: up to four, of one task and one shape of network. directions: the main ones of the ways unless given; or random ones, or
        two numbers of the network (docs/api.md, Landscapes). span: to each side of the middle; as far as the runs went unless given.
        resolution: points a side.
        """
        given = {
            "runs": [run if isinstance(run, str) else run.id for run in runs], "directions": directions, "span": span,
            "resolution": resolution, "part": part, "examples": examples,
        }  # fmt: skip
        body = {key: value for key, value in given.items() if value is not None}
        return Landscape(self._transport, (yield from self._json("POST", "/landscapes", body=body)))

    @operation
    def get(self, landscape_id: str) -> Flow[Landscape[S]]:
        """A landscape by its id. Raises NotFoundError, also for one that is no longer kept."""
        return Landscape(self._transport, (yield from self._json("GET", f"/landscapes/{segment(landscape_id)}")))


class Landscape(Part[S], Generic[S]):
    """A map of the loss. `state` is as the server said last."""

    def __init__(self, transport: S, answer: Mapping[str, Any]) -> None:
        super().__init__(transport)
        self.state = LandscapeState.read(answer)

    @property
    def id(self) -> str:
        """By which `client.landscapes.get` finds it again, while it is kept."""
        return self.state.id

    @property
    def x(self) -> Floats:
        """(x,): the columns' places."""
        return self._known(self.state.x)

    @property
    def y(self) -> Floats:
        """(y,): the rows' places."""
        return self._known(self.state.y)

    @property
    def loss(self) -> Floats:
        """(y, x): the loss at every point."""
        return self._known(self.state.loss)

    @property
    def paths(self) -> list[LandscapePath]:
        """The way of every run."""
        return self.state.paths or []

    def __repr__(self) -> str:
        return f"<Landscape {self.id}: {self.state.done} of {self.state.points} points, {self.state.status}>"

    @operation
    def wait(self, timeout: float | None = None) -> Flow[Landscape[S]]:
        """Waits until it is computed. timeout: seconds. Raises TimeoutError, and RetrogradError where it cannot be computed."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.state.status == "computing":
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"{self.state.done} of {self.state.points} points are computed after {timeout:g} s, and it goes on")
            yield Pause(0.2)
            self.state = LandscapeState.read((yield from self._json("GET", f"/landscapes/{self.id}")))
        if self.state.status == "failed":
            raise RetrogradError(self.state.error or "the landscape could not be computed")
        return self

    @operation
    def figure(self, *, lang: Literal["en", "zh"] = "en") -> Flow[Figure]:
        """Contours of the loss, and the ways of the runs."""
        return Figure((yield from self._json("GET", f"/landscapes/{self.id}/figure", params={"lang": lang})))

    @operation
    def delete(self) -> Flow[None]:
        """Ends the computation, and forgets it."""
        yield from self._ask("DELETE", f"/landscapes/{self.id}")

    def _known(self, array: Floats | None) -> Floats:
        if array is None:
            raise RetrogradError(f"{self.state.done} of {self.state.points} points are computed; wait for the landscape first")
        return array
