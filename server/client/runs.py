"""Trainings: created, trained, listened to, looked at, saved."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Generic, Literal

from server.client.answers import Best, FinalTest, History, Metrics, Mistake, Observation, Observations, RateEdit, RunState, StepBatch
from server.client.events import Deleted, RunEvent, Status, event_of
from server.client.figures import Figure
from server.client.flow import Flow, Part, Pause, S, operation, segment, stream
from server.client.subscription import Subscription
from server.client.traces import Trace

Step = Literal["best", "last"] | int
Column = Literal["loss", "gradient_norm", "clipped_norm", "lr"]
AT_REST = frozenset({"idle", "paused", "failed"})
STATE = {"history": "false"}  # a run is asked for without its losses, of which there may be very many
FORMATS = {".safetensors": "safetensors", ".json": "json", ".csv": "csv", ".zip": "zip"}


class Runs(Part[S], Generic[S]):
    """The runs of a server."""

    @operation
    def create(
        self, program: Mapping[str, Any], *, name: str | None = None, stop: Mapping[str, Any] | None = None,
        validate_every: int | None = None,
    ) -> Flow[Run[S]]:  # fmt: skip
        """A new run; nothing is trained yet.

        program: `{"task": "digits"}`, with whatever is not to be the default (docs/api.md). stop: what ends the training beside its steps,
        some of steps, patience, min_delta, target, seconds. validate_every: steps between two validations.
        """
        given = {"program": dict(program), "name": name, "stop": stop, "validate_every": validate_every}
        body = {key: value for key, value in given.items() if value is not None}
        return Run(self._transport, (yield from self._json("POST", "/runs", body=body)))

    @operation
    def get(self, run_id: str) -> Flow[Run[S]]:
        """A run by its id. Raises NotFoundError."""
        return Run(self._transport, (yield from self._json("GET", f"/runs/{segment(run_id)}", params=STATE)))

    @operation
    def list(self, most: int | None = None, *, sweep: str | None = None) -> Flow[tuple[Run[S], ...]]:
        """One's own runs, the newest first. most: at most so many. sweep: those that are trials of this one."""
        items = yield from self._items("/runs", most, sweep=sweep)
        return tuple(Run(self._transport, item) for item in items)


class Run(Part[S], Generic[S]):
    """A training. `state` is as the server's last answer, or the last event, said; `refresh` asks again."""

    def __init__(self, transport: S, answer: Mapping[str, Any]) -> None:
        super().__init__(transport)
        self.state: RunState = _state(answer)

    @property
    def id(self) -> str:
        """By which `client.runs.get` finds it again."""
        return self.state.id

    @property
    def status(self) -> str:
        """idle, training, paused or failed."""
        return self.state.status

    @property
    def step(self) -> int:
        """How many steps it has done."""
        return self.state.step

    @property
    def best(self) -> Best | None:
        """The best validation."""
        return self.state.best

    @property
    def program(self) -> dict[str, Any]:
        """The program with every default written out."""
        return self.state.program

    def __repr__(self) -> str:
        state = self.state
        return f"<Run {state.name or state.id}: {state.program['task']}, {state.program['cell']}, step {state.step}, {state.status}>"

    @operation
    def refresh(self) -> Flow[Run[S]]:
        """This run, with its state as it is now."""
        yield from self._refreshed()
        return self

    @operation
    def train(self, count: int) -> Flow[Run[S]]:
        """Begins to train so many steps further. Follow with `wait` or `stream`; small trainings are done already."""
        return (yield from self._told("POST", "/steps", {"count": count}))

    @operation
    def wait(self, timeout: float | None = None) -> Flow[Run[S]]:
        """Waits until it no longer trains. timeout: seconds. Raises TimeoutError; the training goes on then."""
        end = None if timeout is None else time.monotonic() + timeout
        pause = 0.05
        while (yield from self._refreshed()) not in AT_REST:
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"the run has done {self.step} of {self.state.requested_step} steps after {timeout:g} s, and goes on")
            yield Pause(pause)
            pause = min(1.0, pause * 1.5)
        return self

    @operation
    def pause(self) -> Flow[Run[S]]:
        """Holds the training."""
        return (yield from self._told("POST", "/pause"))

    @operation
    def resume(self) -> Flow[Run[S]]:
        """Goes on with a training that was paused; its numbers are those that it would have had without."""
        return (yield from self._told("POST", "/resume"))

    @operation
    def cancel(self) -> Flow[Run[S]]:
        """Ends the training where it is; what was trained stays."""
        return (yield from self._told("POST", "/cancel"))

    @operation
    def edit_rate(self, lr: float) -> Flow[RateEdit]:
        """Another learning rate, from the next step on, which is answered. Nothing is reset."""
        answer = yield from self._json("POST", f"/runs/{self.id}/edits", body={"lr": lr})
        return RateEdit.read(answer)

    @operation
    def change(self, /, **changes: Any) -> Flow[Run[S]]:
        """Another `name` (None: none), other `stop` conditions, another `validate_every`."""
        return (yield from self._told("PATCH", "", changes))

    @operation
    def delete(self) -> Flow[None]:
        """Deletes the run and all that is kept of it."""
        yield from self._ask("DELETE", f"/runs/{self.id}")

    @stream
    def stream(self, *, stay: bool = False, after: str | None = None, patience: float = 60) -> Subscription[RunEvent]:
        """What the run does, as it does it, from its first step on. Nothing is lost and nothing comes twice when the connection breaks.

        It ends when the run is at rest (idle, paused, failed) or deleted. stay: not before it is deleted. after: goes on after the event of
        this `event_id`. patience: seconds that the server may be away before ConnectionFailedError is raised.
        """

        def read(message: Any) -> RunEvent | None:
            event = event_of(message)
            if isinstance(event, Status):
                told = event.model_fields_set - {"event_id"}
                self.state = self.state.model_copy(update={name: getattr(event, name) for name in told})
            return event

        def ends(event: RunEvent) -> bool:
            return isinstance(event, Deleted) or (not stay and isinstance(event, Status) and event.status in AT_REST)

        def at_rest() -> Flow[bool]:
            return not stay and (yield from self._refreshed()) in AT_REST

        return Subscription(f"/runs/{self.id}/events", read, ends, at_rest, after, patience)

    @operation
    def history(self, *, after: int = 0, columns: Iterable[Column] = ("loss", "gradient_norm", "clipped_norm", "lr")) -> Flow[History]:
        """What every step did. after: of the steps that follow this one."""
        params = {"after": after, "columns": [*columns]}
        return History.read((yield from self._json("GET", f"/runs/{self.id}/history", params=params)))

    @operation
    def observations(self, *, after: int = 0) -> Flow[Observations]:
        """What was seen of some of the steps, more of the first. after: of the steps that follow this one."""
        seen: list[Observation] = []
        following: int | None = after
        while following is not None:
            page = yield from self._json("GET", f"/runs/{self.id}/observations", params={"after": following, "limit": 20})
            seen += [Observation.read(item) for item in page["items"]]
            following = page["next"]
        return Observations(seen)

    @operation
    def metrics(self, *, part: Literal["train", "validation"] = "validation", step: Step = "best") -> Flow[Metrics]:
        """Figures of the network as it was after a step."""
        answer = yield from self._json("GET", f"/runs/{self.id}/metrics", params={"part": part, "step": step})
        return Metrics.read(answer)

    @operation
    def test(self, *, step: Step = "best") -> Flow[FinalTest]:
        """Figures on the test part. They are computed once; later calls give the first ones, whatever `step` they ask for."""
        return FinalTest.read((yield from self._json("POST", f"/runs/{self.id}/test", body={"step": step})))

    @operation
    def mistakes(
        self, most: int | None = 50, *, part: Literal["train", "validation"] = "validation", step: Step = "best"
    ) -> Flow[tuple[Mistake, ...]]:
        """The examples that the network gets wrong, the worst first; of a regression all of them. most: at most so many."""
        items = yield from self._items(f"/runs/{self.id}/mistakes", most, part=part, step=step)
        return tuple(Mistake.read(item) for item in items)

    @operation
    def batch(self, step: int) -> Flow[StepBatch]:
        """The examples that a step took, and whether `trace` of them all, or of one alone, is sent whole. Nothing is computed for that.

        Raises NotFoundError for a step that was not done.
        """
        return StepBatch.read((yield from self._json("GET", f"/runs/{self.id}/steps/{step}")))

    @operation
    def trace(
        self, step: int, *, example: int | None = None, part: Literal["train", "validation", "test"] = "train",
        tensors: Literal["inline", "stats", "none"] = "inline",
    ) -> Flow[Trace[S]]:  # fmt: skip
        """The trace of a step that was done. example: this one of `part` alone, in place of the step's batch."""
        params = {"example": example, "part": part, "tensors": tensors}
        return Trace(self._transport, (yield from self._json("GET", f"/runs/{self.id}/steps/{step}/trace", params=params)))

    @operation
    def figure(
        self, name: Literal["loss", "confusion"] = "loss", *, lang: Literal["en", "zh"] = "en",
        part: Literal["train", "validation"] | None = None, step: Step | None = None,
    ) -> Flow[Figure]:  # fmt: skip
        """The loss of every step with the validations, or the confusion matrix of a part after a step, as a figure."""
        params = {"lang": lang, "part": part, "step": step}
        return Figure((yield from self._json("GET", f"/runs/{self.id}/figures/{name}", params=params)))

    @operation
    def export(self, form: Literal["safetensors", "json", "csv", "zip"], *, step: Step = "best") -> Flow[bytes]:
        """The run as a file: weights, settings, history, or all of them with a PyTorch script that trains it again."""
        return (yield from self._exported(form, step))

    @operation
    def save(self, path: str | PathLike[str], *, step: Step = "best") -> Flow[Path]:
        """Writes what `export` gives to a file, in the form that its name ends with. One that is there is replaced.

        Raises ValueError for an end that names no form.
        """
        target = Path(path)
        if target.suffix not in FORMATS:
            raise ValueError(f"a run is saved as {', '.join(FORMATS)}; {target.name!r} ends with none of them")
        target.write_bytes((yield from self._exported(FORMATS[target.suffix], step)))
        return target

    def _told(self, method: str, path: str, body: Any = None) -> Flow[Run[S]]:
        self.state = _state((yield from self._json(method, f"/runs/{self.id}{path}", body=body)))
        return self

    def _refreshed(self) -> Flow[str]:
        self.state = _state((yield from self._json("GET", f"/runs/{self.id}", params=STATE)))
        return self.status

    def _exported(self, form: str, step: Step) -> Flow[bytes]:
        return (yield from self._ask("GET", f"/runs/{self.id}/export", params={"format": form, "step": step})).content


def _state(answer: Mapping[str, Any]) -> RunState:
    return RunState.read({name: value for name, value in answer.items() if name != "history"})
