"""The application: parts put together, and ready before it answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware

from server import limits, openapi, problems
from server.addresses import AddressGuard
from server.bodies import BodyGuard
from server.cached import Cached
from server.evaluation.kept import KeptEvaluations
from server.event_stream import Streams
from server.idempotency import Idempotency
from server.jobs.landscapes import Landscapes
from server.jobs.pool import WorkerPool
from server.jobs.sweeping import Sweeper
from server.jobs.training import Trainer
from server.jobs.work import be_ready, make_trace
from server.metrics import Metrics
from server.middleware import Negotiation, RequestContext
from server.origins import OriginGuard
from server.proxies import ProxyGuard
from server.rates import RateGuard
from server.routes import (
    checkpoints,
    datasets,
    exports,
    expressions,
    figures,
    health,
    landscapes,
    links,
    opening,
    ops,
    pages,
    probes,
    run_events,
    run_export,
    run_metrics,
    runs,
    schema,
    step_batch,
    sweeps,
    tasks,
    traces,
    uploads,
)  # fmt: skip
from server.routes import limits as published_limits
from server.services import Services
from server.settings import Settings
from server.store.answers import AnswerStore
from server.store.database import open_database
from server.store.datasets import DatasetStore
from server.store.documents import Documents
from server.store.landscapes import LandscapeStore
from server.store.links import LinkStore
from server.store.pins import PinStore
from server.store.runs import RunStore
from server.store.sweeps import SweepStore
from server.store.tested import ResultStore
from server.store.trace_file import TraceFile
from server.store.traces import TraceStore
from server.store.uploads import UploadStore
from server.sweeps.studies import Studies
from server.token import TokenGuard
from server.visitors import Visitors, secret_in

PREFIX = "/api/v1"
_WARM_AFTER = 5.0  # seconds from the start, which the page has to itself
RESOURCES = (
    traces, expressions, exports, opening, schema, tasks, checkpoints, ops, runs, step_batch, run_events, run_metrics, run_export, figures,
    landscapes, links, uploads, datasets, sweeps, published_limits, health,
)  # fmt: skip


async def first_trace(pool: WorkerPool) -> TraceFile:
    """The trace that the page opens with; who makes it is a worker, which has then loaded what it needs."""
    return await pool.run(make_trace, opening.opening_program(), None, limits.TRACE_SECONDS, seconds=limits.TRACE_SECONDS)


async def _warm(*pools: WorkerPool) -> None:
    """Prepares the processes that have done nothing yet, once the page has been served."""
    await asyncio.sleep(_WARM_AFTER)
    for pool in pools:
        await pool.warm(be_ready)


def create_app(settings: Settings) -> FastAPI:
    """The service. The database is opened and the workers are started when the server starts it, and closed when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings.data.mkdir(parents=True, exist_ok=True)
        secret = settings.secret.get_secret_value() if settings.secret else await run_in_threadpool(secret_in, settings.data)
        engine = await run_in_threadpool(open_database, settings.database_url)
        pool = WorkerPool(settings.workers, settings.worker_memory, settings.queue, shared=True)
        quick = WorkerPool(1, settings.worker_memory, settings.queue)
        warming = asyncio.create_task(_warm(quick, pool), name="warm workers")
        app.state.metrics.watch("pool", pool)
        app.state.metrics.watch("quick", quick)
        own_data = DatasetStore(engine, settings.visitor_datasets, settings.dataset_seconds)
        trained = RunStore(engine, settings.run_bytes, own_data.data)
        app.state.streams = streams = Streams(engine, settings.streams, settings.visitor_streams)
        app.state.metrics.watch_streams(streams)
        landscapes_made = Landscapes(pool, LandscapeStore(engine, limits.LANDSCAPES), settings.slice_seconds)
        trainer = Trainer(pool, trained, settings.slice_seconds, streams.changed)
        searches, studies = SweepStore(engine), Studies(engine, settings.database_url, settings.data)
        sweeper = Sweeper(searches, studies, trained, trainer, own_data)
        try:
            store = TraceStore(engine, settings.trace_bytes)
            first, _ = await run_in_threadpool(store.put, await first_trace(pool), pinned=True)
            app.state.services = Services(
                settings, store, trained, pool, quick, trainer, Documents(), first, Visitors(secret),
                LinkStore(engine, settings.link_bytes), UploadStore(engine, settings.upload_store_bytes, settings.visitor_uploads),
                own_data,
                PinStore(engine, settings.visitor_pins, settings.trace_bytes), streams, ResultStore(engine),
                searches, studies, sweeper, KeptEvaluations(), landscapes_made,
            )  # fmt: skip
            app.state.answers = AnswerStore(engine)
            trainer.resume(await run_in_threadpool(trained.training))
            sweeper.resume(await run_in_threadpool(searches.waiting, sweeper.owner, time.time()))
            yield
        finally:
            warming.cancel()
            streams.close()
            await sweeper.close()
            await trainer.close()
            await landscapes_made.close()
            await asyncio.gather(run_in_threadpool(pool.close), run_in_threadpool(quick.close))
            engine.dispose()

    app = FastAPI(
        title="Retrograd", description="Every gradient as it travels back through time.", version="1",
        openapi_url=f"{PREFIX}/openapi.json", docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan,
    )  # fmt: skip
    app.state.metrics = metrics = Metrics()
    problems.install(app)
    openapi.complete(app, PREFIX)
    # The last added is the outermost.
    app.add_middleware(Idempotency)
    app.add_middleware(BodyGuard, settings=settings, files=f"{PREFIX}/uploads", tables=f"{PREFIX}/datasets")
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(AddressGuard)
    app.add_middleware(Negotiation)
    app.add_middleware(Cached)
    app.add_middleware(RateGuard, settings=settings)
    app.add_middleware(TokenGuard, settings=settings)
    app.add_middleware(OriginGuard, settings=settings)
    app.add_middleware(RequestContext, settings=settings, metrics=metrics)
    app.add_middleware(ProxyGuard, settings=settings)
    api = APIRouter(prefix=PREFIX, responses={"4XX": {"model": problems.ProblemDocument}})  # server/openapi.py names them one by one
    for resource in RESOURCES:
        api.include_router(resource.router)
    app.include_router(api)
    app.include_router(probes.router)
    app.include_router(pages.router_for(settings.static))
    return app
