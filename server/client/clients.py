"""The two clients: one that waits, one that is awaited. What they can do is the same."""

from __future__ import annotations

from typing import Any, Generic, Literal, Self

from server.client.answers import Task
from server.client.datasets import Datasets
from server.client.flow import Flow, Part, S, operation, segment
from server.client.landscapes import Landscapes
from server.client.runs import Runs
from server.client.sweeps import Sweeps
from server.client.traces import Traces
from server.client.transport import AsyncTransport, SyncTransport


class _Client(Part[S], Generic[S]):
    """What there is on a server."""

    def __init__(self, transport: S) -> None:
        super().__init__(transport)
        self.runs = Runs(transport)
        self.traces = Traces(transport)
        self.sweeps = Sweeps(transport)
        self.landscapes = Landscapes(transport)
        self.datasets = Datasets(transport)

    @property
    def base_url(self) -> str:
        """The address of the API."""
        return self._transport.base_url

    @operation
    def tasks(self) -> Flow[tuple[Task, ...]]:
        """Every task that comes with the server."""
        return tuple(Task.read(item) for item in (yield from self._json("GET", "/tasks"))["items"])

    @operation
    def task(self, name: str, *, length: int | None = None) -> Flow[Task]:
        """A task by its name. length: of its sequences, of tasks that may have several; its sizes, lengths and baseline are those then.

        Raises NotFoundError, and InvalidError for a length that it cannot have.
        """
        return Task.read((yield from self._json("GET", f"/tasks/{segment(name)}", params={"length": length})))

    @operation
    def examples(
        self, task: str, most: int | None = 50, *, part: Literal["train", "validation", "test"] = "train", starts_with: str | None = None,
        length: int | None = None,
    ) -> Flow[tuple[dict[str, Any], ...]]:  # fmt: skip
        """Examples of a task: each with `index`, `length`, `tokens`, `text`, `target`. most: at most so many. length: as of `task`."""
        params = {"part": part, "starts_with": starts_with, "length": length}
        return tuple((yield from self._items(f"/tasks/{segment(task)}/examples", most, **params)))

    @operation
    def limits(self) -> Flow[dict[str, float]]:
        """Every limit of the server by its name."""
        answer: dict[str, float] = yield from self._json("GET", "/limits")
        return answer


class Client(_Client[SyncTransport]):
    """A Retrograd server, for programs that wait for each answer. Use it in a `with` statement, or close it.

    base_url: of the server, with the path that it is mounted at. token: where the server asks for one. timeout: seconds for which an answer
    may keep it waiting. retries: how often a request is tried again when the connection breaks or the server is busy for a moment.
    Of the proxies that the environment names, those are used that lead to another machine.
    """

    def __init__(self, base_url: str = "http://127.0.0.1:8000", *, token: str | None = None, timeout: float = 60, retries: int = 4) -> None:
        super().__init__(SyncTransport(base_url, token, timeout, retries))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes its connections."""
        self._transport.close()


class AsyncClient(_Client[AsyncTransport]):
    """A Retrograd server, for programs that do other things meanwhile: each method is awaited. See Client for what it takes."""

    def __init__(self, base_url: str = "http://127.0.0.1:8000", *, token: str | None = None, timeout: float = 60, retries: int = 4) -> None:
        super().__init__(AsyncTransport(base_url, token, timeout, retries))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes its connections."""
        await self._transport.close()
