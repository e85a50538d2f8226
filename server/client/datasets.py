"""Data of one's own: sent, chosen of, kept, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Generic

from server.client.answers import DatasetState
from server.client.errors import RetrogradError
from server.client.flow import Flow, Part, S, object_of, operation, segment


class Datasets(Part[S], Generic[S]):
    """One's own data sets."""

    @operation
    def upload(self, path: str | PathLike[str]) -> Flow[Dataset[S]]:
        """Sends a CSV file: text and label, or a series of numbers."""
        return (yield from self._sent(Path(path).read_bytes()))

    @operation
    def paste(self, text: str | bytes) -> Flow[Dataset[S]]:
        """Sends what a CSV file would hold."""
        return (yield from self._sent(text.encode() if isinstance(text, str) else text))

    @operation
    def get(self, dataset_id: str) -> Flow[Dataset[S]]:
        """A data set by its id. Raises NotFoundError, also for those of others."""
        return Dataset(self._transport, (yield from self._json("GET", f"/datasets/{segment(dataset_id)}")))

    @operation
    def list(self, most: int | None = None) -> Flow[tuple[Dataset[S], ...]]:
        """One's own, the newest first, without their rows. most: at most so many."""
        items = yield from self._items("/datasets", most)
        return tuple(Dataset(self._transport, item) for item in items)

    def _sent(self, content: bytes) -> Flow[Dataset[S]]:
        answer = yield from self._ask("POST", "/datasets", content=content, headers={"Content-Type": "text/csv"})
        return Dataset(self._transport, object_of(answer))


class Dataset(Part[S], Generic[S]):
    """Data of one's own. `state` says how they were read, and which rows were not."""

    def __init__(self, transport: S, answer: Mapping[str, Any]) -> None:
        super().__init__(transport)
        self.state = DatasetState.read(answer)

    @property
    def id(self) -> str:
        """By which `client.datasets.get` finds it again."""
        return self.state.id

    def __repr__(self) -> str:
        columns = ", ".join(str(column["name"]) for column in self.state.columns)
        return f"<Dataset {self.id}: {self.state.rows} rows of {columns}>"

    def choice(self, **choice: Any) -> dict[str, Any]:
        """What a program's `dataset` is to be: what the server suggests, or `kind="text", text=…, label=…` or `kind="series", column=…`.

        Raises RetrogradError where nothing is chosen and nothing suggested.
        """
        chosen = choice or self.state.suggestion
        if not chosen:
            raise RetrogradError("the server sees nothing to learn here; say kind='text', text=…, label=… or kind='series', column=…")
        return {"id": self.id, **chosen}

    @operation
    def task(self, /, **choice: Any) -> Flow[dict[str, Any]]:
        """What would be learnt of a choice: the task, and the rows that are left out. Nothing is stored."""
        answer: dict[str, Any] = yield from self._json("POST", f"/datasets/{self.id}/task", body={"dataset": self.choice(**choice)})
        return answer

    @operation
    def keep(self, kept: bool = True) -> Flow[Dataset[S]]:
        """Keeps the data although no run uses them, or no longer."""
        self.state = DatasetState.read((yield from self._json("PATCH", f"/datasets/{self.id}", body={"kept": kept})))
        return self

    @operation
    def delete(self) -> Flow[None]:
        """Deletes the data, and the traces that hold examples of them."""
        yield from self._ask("DELETE", f"/datasets/{self.id}")
