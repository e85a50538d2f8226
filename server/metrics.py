"""What can be counted, for Prometheus. One registry an application, so that two in one process never meet."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from server.event_stream import Streams
from server.jobs.pool import WorkerPool

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Metrics:
    """Requests by route, and the state of the workers. Labels are names of ours alone, so that nobody makes up new ones."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ["method", "route", "status"]
        self._requests = Counter("retrograd_requests", "Requests that were answered", labels, registry=self.registry)
        self._seconds = Histogram(
            "retrograd_request_seconds", "How long answers took", ["route"], registry=self.registry,
            buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 20, 60),
        )  # fmt: skip

    def watch(self, name: str, pool: WorkerPool) -> None:
        """Publishes the state of a pool of workers."""
        for what, about, read in (
            ("busy", "Workers at work", lambda: pool.busy),
            ("waiting", "Pieces of work that wait for a worker", lambda: pool.waiting),
            ("lost", "Worker processes that were killed, since the start", lambda: pool.lost),
        ):
            Gauge(f"retrograd_{name}_workers_{what}", about, registry=self.registry).set_function(read)

    def watch_streams(self, streams: Streams) -> None:
        """Publishes how many streams are open; as requests they are counted when they end, by how long their beginning took."""
        Gauge("retrograd_streams_open", "Streams of events that are open", registry=self.registry).set_function(lambda: streams.open)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one answer. route: as the server names it (`/api/v1/traces/{trace_id}`), empty where there is none."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)
