"""Searches for settings: begun, listened to, ended, and the run that did best."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Generic, Literal

from server.client.answers import BestTrial, SweepState, Trial
from server.client.errors import RetrogradError
from server.client.figures import Figure
from server.client.flow import Flow, Part, Pause, S, operation, segment, stream
from server.client.runs import STATE, Run
from server.client.subscription import Message, Subscription


class Sweeps(Part[S], Generic[S]):
    """The sweeps of a server."""

    @operation
    def start(
        self, program: Mapping[str, Any], space: Mapping[str, Any], *, steps: int = 500, trials: int = 20, seconds: float | None = None,
        sampler: Literal["tpe", "random", "grid"] = "tpe", pruner: Literal["median", "none"] = "median", seed: int = 0,
        name: str | None = None, stop: Mapping[str, Any] | None = None, validate_every: int | None = None,
    ) -> Flow[Sweep[S]]:  # fmt: skip
        """Begins a search for the settings that do best on the validation part.

        program: what stays as it is. space: what varies, such as `{"lr": {"low": 1e-3, "high": 0.1, "log": True}, "cell": {"choices":
        ["rnn", "gru"]}}`. steps: of each trial. trials, seconds: when the search ends.
        """
        given = {
            "program": dict(program), "space": dict(space), "steps": steps, "trials": trials, "seconds": seconds, "sampler": sampler,
            "pruner": pruner, "seed": seed, "name": name, "stop": stop, "validate_every": validate_every,
        }  # fmt: skip
        body = {key: value for key, value in given.items() if value is not None}
        return Sweep(self._transport, (yield from self._json("POST", "/sweeps", body=body)))

    @operation
    def get(self, sweep_id: str) -> Flow[Sweep[S]]:
        """A sweep by its id. Raises NotFoundError."""
        return Sweep(self._transport, (yield from self._json("GET", f"/sweeps/{segment(sweep_id)}")))

    @operation
    def list(self, most: int | None = None) -> Flow[tuple[Sweep[S], ...]]:
        """One's own sweeps, the newest first, without their trials until `refresh`. most: at most so many."""
        items = yield from self._items("/sweeps", most)
        return tuple(Sweep(self._transport, item) for item in items)


class Sweep(Part[S], Generic[S]):
    """A search. `state` is as the server said last; `refresh` asks again."""

    def __init__(self, transport: S, answer: Mapping[str, Any]) -> None:
        super().__init__(transport)
        self.state = SweepState.read(answer)

    @property
    def id(self) -> str:
        """By which `client.sweeps.get` finds it again."""
        return self.state.id

    @property
    def status(self) -> str:
        """running, finished, cancelled or failed."""
        return self.state.status

    @property
    def trials(self) -> list[Trial]:
        """Every try."""
        return self.state.trials

    @property
    def best(self) -> BestTrial | None:
        """The try that did best; None before one did anything."""
        return self.state.best

    def __repr__(self) -> str:
        state = self.state
        best = "" if state.best is None else f", best {state.metric} {state.best.value:.4g}"
        return f"<Sweep {state.name or state.id}: {len(state.trials)} trials, {state.status}{best}>"

    @operation
    def refresh(self) -> Flow[Sweep[S]]:
        """This sweep, with its state as it is now."""
        yield from self._told("GET", "")
        return self

    @operation
    def wait(self, timeout: float | None = None) -> Flow[Sweep[S]]:
        """Waits until the search has ended. timeout: seconds. Raises TimeoutError; the search goes on then."""
        end = None if timeout is None else time.monotonic() + timeout
        yield from self._told("GET", "")
        while self.status == "running":
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"the search has made {len(self.trials)} trials after {timeout:g} s, and goes on")
            yield Pause(0.5)
            yield from self._told("GET", "")
        return self

    @stream
    def stream(self, *, patience: float = 60) -> Subscription[SweepState]:
        """The state of the search, now and at every change, until it has ended or was deleted.

        patience: seconds that the server may be away before ConnectionFailedError is raised.
        """

        def read(message: Message) -> SweepState | None:
            if message.kind == "sweep":
                self.state = SweepState.read(message.data)
                return self.state
            if message.kind == "deleted":
                return self.state.model_copy(update={"status": "deleted"})
            return None

        def ends(state: SweepState) -> bool:
            return state.status != "running"

        def at_rest() -> Flow[bool]:
            yield from self._told("GET", "")
            return self.status != "running"

        return Subscription(f"/sweeps/{self.id}/events", read, ends, at_rest, patience=patience)

    @operation
    def best_run(self) -> Flow[Run[S]]:
        """The run of the best trial, which is one like any other. Raises RetrogradError where no trial has ended yet."""
        yield from self._told("GET", "")
        if self.best is None:
            raise RetrogradError("no trial of this sweep has a validation yet; wait for it")
        return Run(self._transport, (yield from self._json("GET", f"/runs/{self.best.run}", params=STATE)))

    @operation
    def cancel(self) -> Flow[Sweep[S]]:
        """Ends the search; what it found stays."""
        yield from self._told("POST", "/cancel")
        return self

    @operation
    def delete(self) -> Flow[None]:
        """Deletes the sweep with all of its runs."""
        yield from self._ask("DELETE", f"/sweeps/{self.id}")

    @operation
    def figure(self, name: Literal["importance"] = "importance", *, lang: Literal["en", "zh"] = "en") -> Flow[Figure]:
        """How much of the difference between trials each setting explains."""
        return Figure((yield from self._json("GET", f"/sweeps/{self.id}/figures/{name}", params={"lang": lang})))

    def _told(self, method: str, path: str) -> Flow[None]:
        self.state = SweepState.read((yield from self._json(method, f"/sweeps/{self.id}{path}")))
