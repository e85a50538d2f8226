"""A person's own data: what is sent and answered, and how a program chooses of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from server.schemas.answers import Answer, Cursor, Task
from server.schemas.body import Body
from server.schemas.data_choice import DatasetChoice


class DatasetText(Body):
    """Rows and columns as text, where no file is sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "text,label\nhello,greeting\nfarewell,parting\n"}]})
    text: Annotated[str, Field(min_length=1)]


class DatasetChange(Body):
    """Keep a data set for longer than its last run, or no longer."""

    kept: bool


class ChoiceRequest(Body):
    """What is to be learnt of a data set: a program's `dataset`."""

    dataset: DatasetChoice


class DataColumn(BaseModel):
    """A column. distinct: how many different cells it has; missing: how many hold nothing."""

    name: str
    kind: Literal["text", "number", "category"]
    distinct: int
    missing: int
    sample: list[str]


class DataProblem(BaseModel):
    """row: of the file, from 1; null where it is no single one. column: its name."""

    row: int | None
    column: str | None
    message: str


class DatasetSummary(BaseModel):
    """A data set in a list. runs: how many use it; expires: when it goes, in seconds from now, null while a run uses it or it is kept."""

    id: str
    created: str
    bytes: int
    rows: int
    kept: bool
    runs: int
    expires: int | None
    columns: list[DataColumn]


class Dataset(DatasetSummary, Answer):
    """A data set: how it was read, its first rows, and what is wrong with which.

    suggestion: a choice without `id`, null where none is seen.
    """

    encoding: Literal["utf-8", "utf-16-le", "utf-16-be", "gb18030", "latin-1", "windows-1252"]
    delimiter: str
    header: bool
    preview: list[list[str]]
    preview_rows: list[int]
    problems: list[DataProblem]
    problem_count: int
    suggestion: dict[str, Any] | None


class DatasetPage(Answer):
    """A visitor's own data sets, newest first."""

    items: list[DatasetSummary]
    next: Cursor


class AbsentClasses(BaseModel):
    """Of how many classes a part has no example."""

    validation: int
    test: int


class ChosenTask(Answer):
    """What would be learnt: a task as GET /tasks has it, how many classes its small parts lack, and the rows that are left out."""

    task: Task
    absent: AbsentClasses
    problems: list[DataProblem]
    problem_count: int
    examples: list[str]
