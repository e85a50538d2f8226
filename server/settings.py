"""What a person may set: environment variables RETROGRAD_*, or the options of `retrograd serve`. docs/settings.md lists them."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from server import limits


def default_data_folder() -> Path:
    """`retrograd` in the folder that XDG names for data, ~/.local/share unless set."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "retrograd"


def _names(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]


class Settings(BaseSettings):
    """The service's settings. The description of each is what docs/settings.md says of it; a test holds the two together."""

    model_config = SettingsConfigDict(env_prefix="RETROGRAD_", extra="ignore")

    # where it listens, and to whom it answers
    host: str = Field(default="127.0.0.1", description="address to listen at; anything but loopback needs a token, or that it is public")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen at; 0 takes a free one")
    public: bool = Field(default=False, description="whoever reaches the server may use it: no token is needed anywhere")
    token: SecretStr | None = Field(
        default=None, min_length=8, description="what every request has to show: open `/?token=…` once, or send `Authorization: Bearer …`"
    )
    secret: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="signs cookies; the servers of one database share it; kept in the data folder unless set",
    )
    hosts: Names = Field(default=(), description="names it goes by beside those of this machine, with commas between; `*` takes any")
    origins: Names = Field(default=(), description="other origins whose pages may write, such as `https://example.org`")
    proxies: str = Field(default="127.0.0.1", description="addresses of proxies whose `X-Forwarded-*` headers are believed; `*`: any")
    root_path: str = Field(
        default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$", description="prefix that a proxy takes off the addresses, such as `/retrograd`"
    )
    log: Literal["text", "json"] = Field(default="text", description="`json`: one object a line, with a line for every request")
    frame_ancestors: str = Field(
        default="'self'", pattern=r"^[^;,\r\n]*$", description="pages that may show this one in a frame, as in Content-Security-Policy"
    )
    static: Path | None = Field(default=None, description="a folder served in place of the built web app")

    # where it keeps what it keeps
    data: Path = Field(default_factory=default_data_folder, description="folder for the database; made when missing")
    database_url: str = Field(
        default="", validate_default=True, description="SQLAlchemy URL of the database; an SQLite file in the data folder unless set"
    )
    trace_bytes: int = Field(default=512 * 2**20, ge=2**20, description="bytes of stored traces, compressed; beyond it the oldest go")

    run_bytes: int = Field(default=2 * 2**30, ge=2**20, description="bytes of runs; beyond it idle ones go, first of who has most")

    link_bytes: int = Field(
        default=64 * 2**20, ge=2**20, description="bytes of long links; beyond it those go that nobody opened for longest"
    )

    upload_store_bytes: int = Field(default=512 * 2**20, ge=2**20, description="bytes of uploads, compressed; beyond it the oldest go")

    # work
    workers: int = Field(
        default_factory=lambda: max(1, min(4, os.cpu_count() or 1)), ge=1, le=64,
        description="so many trainings at a time, and so many traces of networks, on one process more; beside one for quick work",
    )  # fmt: skip
    worker_memory: int = Field(
        default=limits.WORKER_MEMORY, ge=2**28, description="bytes that one worker may take; what needs more is refused"
    )
    queue: int = Field(default=limits.QUEUE, ge=1, description="pieces of work that may wait for a worker; more answer 503")
    quick_seconds: float = Field(default=0.8, ge=0, le=30, description="how long a request for steps waits before it answers 202")
    slice_seconds: float = Field(default=0.25, gt=0, le=10, description="how long a worker trains before its state is stored")

    # limits, published at /api/v1/limits beside those that cannot be set
    body_bytes: int = Field(default=limits.BODY_BYTES, ge=1024, description="largest JSON body of a request")
    upload_bytes: int = Field(default=limits.UPLOAD_BYTES, ge=1024, description="largest body of a request that is not JSON")
    graph_nodes: int = Field(default=limits.GRAPH_NODES, ge=1, description="nodes of the graph of one trace")
    trace_elements: int = Field(default=limits.TRACE_ELEMENTS, ge=1000, description="numbers in one trace")
    response_bytes: int = Field(default=limits.RESPONSE_BYTES, ge=2**16, description="largest answer sent whole, before compression")
    writes_per_second: float = Field(default=limits.WRITES_PER_SECOND, ge=1, description="POST, PUT, PATCH and DELETE of one address")
    visitor_runs: int = Field(default=limits.VISITOR_RUNS, ge=1, description="runs kept of one visitor; beyond it the oldest at rest go")
    visitor_pins: int = Field(default=limits.VISITOR_PINS, ge=0, description="traces that one visitor may pin, so that they never go")
    visitor_datasets: int = Field(
        default=limits.VISITOR_DATASETS, ge=1, description="data sets kept of one visitor; beyond it the oldest go that no run uses"
    )
    dataset_seconds: float = Field(default=limits.DATASET_SECONDS, ge=0, description="how long a data set stays that no run uses")
    visitor_uploads: int = Field(default=limits.VISITOR_UPLOADS, ge=1, description="uploads kept of one visitor; beyond it the oldest go")
    streams: int = Field(default=limits.STREAMS, ge=1, description="streams of runs' events open at a time; more answer 503")
    visitor_streams: int = Field(default=limits.VISITOR_STREAMS, ge=1, description="streams open at a time of one visitor; more answer 429")
    compute_seconds: float = Field(
        default=limits.COMPUTE_SECONDS, gt=0, le=600, description="processor time of one computation that a request waits for"
    )

    @field_validator("database_url")
    @classmethod
    def _in_the_data_folder(cls, url: str, info: ValidationInfo) -> str:
        return url or f"sqlite:///{(info.data['data'] / 'retrograd.sqlite3').absolute()}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
