"""What routes work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from server.evaluation.kept import KeptEvaluations
from server.event_stream import Streams
from server.jobs.landscapes import Landscapes
from server.jobs.pool import WorkerPool
from server.jobs.sweeping import Sweeper
from server.jobs.training import Trainer
from server.settings import Settings
from server.store.datasets import DatasetStore
from server.store.documents import Documents
from server.store.links import LinkStore
from server.store.pins import PinStore
from server.store.runs import RunStore
from server.store.sweeps import SweepStore
from server.store.tested import ResultStore
from server.store.trace_file import TraceFile
from server.store.traces import TraceStore
from server.store.uploads import UploadStore
from server.sweeps.studies import Studies
from server.visitors import Visitors


@dataclass(frozen=True)
class Services:
    """The parts of a running server.

    pool: the workers for trainings and traces of networks, which do not wait for each other. quick: one apart, for expressions and checks,
    which never wait for those.
    """

    settings: Settings
    traces: TraceStore
    runs: RunStore
    pool: WorkerPool
    quick: WorkerPool
    trainer: Trainer
    documents: Documents
    opening: TraceFile
    visitors: Visitors
    links: LinkStore
    uploads: UploadStore
    datasets: DatasetStore
    pins: PinStore
    streams: Streams
    results: ResultStore
    sweeps: SweepStore
    studies: Studies
    sweeper: Sweeper
    evaluations: KeptEvaluations
    landscapes: Landscapes


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Use = Annotated[Services, Depends(_services)]
