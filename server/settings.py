"""What a person may set: environment variables RETROGRAD_*, or the options of `retrograd serve`."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_folder() -> Path:
    """`retrograd` in the folder that XDG names for data, ~/.local/share unless set."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "retrograd"


class Settings(BaseSettings):
    """The service's settings.

    data: folder for the database; made when missing. database: SQLAlchemy URL, an SQLite file in the data folder unless set.
    workers: processes that train and trace, beside the one for quick work.
    quick_seconds: how long a request for steps waits before it answers 202.
    slice_seconds: how long a worker trains before its state is stored. trace_bytes: how much the stored traces may take; beyond it
    the oldest go. static: a folder served in place of the built web app.
    """

    model_config = SettingsConfigDict(env_prefix="RETROGRAD_", extra="ignore")

    data: Path = Field(default_factory=default_data_folder)
    database: str | None = None
    workers: int = Field(default_factory=lambda: max(1, min(4, os.cpu_count() or 1)), ge=1, le=64)
    quick_seconds: float = Field(default=0.8, ge=0, le=30)
    slice_seconds: float = Field(default=0.25, gt=0, le=10)
    trace_bytes: int = Field(default=512 * 2**20, ge=2**20)
    static: Path | None = None

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{(self.data / 'retrograd.sqlite3').absolute()}"
